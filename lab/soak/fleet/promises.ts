/** The promises to clients of several processes, whatever happens to those: each worker makes calls, and throws when one is not kept. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../fuzz/random.ts';
import { inTime } from '../clients.ts';
import type { Chronicle, Span } from './chronicle.ts';
import { callOf, eventsOf, LOST_AFTER_MS, openSession, type StreamEvent, type Talk } from './talk.ts';

/** What the workers share. */
export interface Shift {
  /** Whether to start another call. */
  isOn(): boolean;
  readonly chronicle: Chronicle;
  readonly random: Random;
  count(what: string): void;
}

/** A message that was refused, and the span from its sending to the refusal. */
export interface Refused extends Span {
  readonly id: number;
}

/** Makes plain calls in one session. Each must be answered, for its own user, unless the process that worked on it was killed. */
export async function callPlainly(talk: Talk, shift: Shift): Promise<void> {
  const { user } = talk;
  const headers = await openSession(talk);
  for (let id = 1; shift.isOn(); id += 1) {
    const startMs = performance.now();
    try {
      const answer = await talk.ask({
        headers,
        body: callOf(id, 'whoami', {}),
      });
      const text = await answer.text();
      if (answer.status !== 200)
        throw new BrokenPromise(`a plain call was answered ${answer.status}: ${text}`);
      if (!text.includes(`"userId":"${user.userId}"`)) throw new BrokenPromise(`misdelivered: ${text}`);
      shift.count('plain calls');
    } catch (error) {
      if (error instanceof BrokenPromise || !shift.chronicle.hadTrouble(startMs)) throw error;
      shift.count('plain calls cut');
    }
    await sleep(shift.random.int(0, 19));
  }
}

/** Calls over HTTP+SSE. An accepted message must be answered once, unless the stream breaks; a refused one must not be carried out. */
export async function callOverSse(talk: Talk, shift: Shift): Promise<void> {
  while (shift.isOn()) {
    const abort = new AbortController();
    const opening = talk.ask({ path: '/sse', signal: abort.signal });
    const stream = await inTime(opening, 'the SSE stream', LOST_AFTER_MS);
    if (stream.status !== 200) throw new BrokenPromise(`GET /sse was answered ${stream.status}`);
    const heard: StreamEvent[] = [];
    const state = { isOver: false };
    const reading = (async () => {
      for await (const event of eventsOf(stream)) heard.push(event);
    })()
      .catch(() => undefined)
      .finally(() => (state.isOver = true));
    const [endpoint] = await waitFor(
      () => heard.map(({ data }) => data),
      () => state.isOver,
    );
    const refused: Refused[] = [];
    if (endpoint === undefined) {
      abort.abort();
      continue;
    }
    for (let id = 1; id < 200 && !state.isOver && shift.isOn(); id += 1) {
      const body = callOf(id, 'echo_message', { message: `mark-${talk.user.userId}-${id}.` });
      const fromMs = performance.now();
      const status = await talk.ask({ path: endpoint, body }).then(
        async (answer) => answer.text().then(() => answer.status),
        () => 0,
      );
      if (status === 202) {
        await waitFor(
          () => answersTo(heard, id),
          () => state.isOver,
        );
        if (answersTo(heard, id).length === 0 && !state.isOver)
          throw new BrokenPromise('lost: a message was accepted, and never answered on its stream');
        shift.count(state.isOver ? 'SSE streams cut' : 'SSE calls');
      } else if (status === 503) {
        refused.push({ id, fromMs, toMs: performance.now() });
        shift.count('SSE calls refused');
        await sleep(200);
      } else if (status === 404) {
        await waitFor(
          () => (state.isOver ? [true] : []),
          () => state.isOver,
        );
        if (!state.isOver) throw new BrokenPromise('404 for a stream that goes on');
      } else if (status !== 0) throw new BrokenPromise(`a message was answered ${status}`);
    }
    // The answer of a refused message must not come later either.
    if (refused.length > 0 && !state.isOver) await sleep(3_000);
    abort.abort();
    await Promise.race([reading, sleep(1_000)]);
    judgeSse(talk, heard, refused, shift);
  }
}

/**
 * Checks the events of a stream against what its client was told. One promise cannot be kept: if Redis fails, or the process that has the
 * stream is killed, between a message and its receipt, the process that waits for the receipt cannot know whether the message was handled.
 */
export function judgeSse(
  { user }: Pick<Talk, 'user'>,
  heard: readonly StreamEvent[],
  refused: readonly Refused[],
  { chronicle, count }: Pick<Shift, 'chronicle' | 'count'>,
): void {
  const ids = heard.flatMap(({ data }) => /"id":(\d+)/.exec(data)?.[1] ?? []);
  if (new Set(ids).size < ids.length) throw new BrokenPromise(`doubled: ${ids.join()}`);
  for (const { id, ...span } of refused.filter((each) => ids.includes(String(each.id)))) {
    const [from, to] = [chronicle.timeOf(span.fromMs), chronicle.timeOf(span.toMs)];
    const what = `done although it was refused: ${id}, sent at ${from}, refused at ${to}`;
    if (!chronicle.didRedisFail(span) && !chronicle.didReceiverEnd(span.fromMs))
      throw new BrokenPromise(what);
    count('SSE calls uncertain');
  }
  for (const { data } of heard) {
    const mark = /mark-(\w+)-(\d+)\./.exec(data);
    if (mark !== null && (mark[1] !== user.userId || !data.includes(`"id":${mark[2]}`)))
      throw new BrokenPromise(`misdelivered: ${data}`);
  }
}

/** Makes calls with streams, and also cuts the streams: each event must come once and in order, then an answer, or an error that it is lost. */
export async function callInSteps(talk: Talk, shift: Shift): Promise<void> {
  const headers = await openSession(talk);
  for (let id = 1; shift.isOn(); id += 1) {
    const startMs = performance.now();
    const mark = randomUUID();
    const input = { steps: shift.random.int(2, 19), pauseMs: shift.random.int(10, 149), mark };
    const outcome = await followStream(talk, headers, callOf(id, 'take_steps', input), shift);
    if (outcome === undefined) {
      shift.count('streams cut before they began');
      continue;
    }
    judgeSteps(outcome, { mark: `${mark} of ${talk.user.userId}`, steps: input.steps });
    const isLost = outcome.at(-1)?.includes('answer_lost') === true;
    if (isLost && !shift.chronicle.hadTrouble(startMs))
      throw new BrokenPromise('lost, although nothing happened');
    shift.count(isLost ? 'streams said to be lost' : 'streams answered');
  }
}

/** Follows a stream from its call to its end, resuming it after each break; undefined when it broke before its first event id. */
async function followStream(
  talk: Talk,
  headers: Readonly<Record<string, string>>,
  body: object,
  { random }: Pick<Shift, 'random'>,
) {
  const messages: string[] = [];
  const untilMs = performance.now() + LOST_AFTER_MS;
  let lastId: string | undefined;
  for (let isFirst = true; performance.now() < untilMs; isFirst = false) {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), untilMs - performance.now());
    const cutAfter = random.int(1, 11);
    const named = isFirst ? headers : { ...headers, 'Last-Event-ID': lastId ?? '' };
    try {
      const response = await talk.ask({ headers: named, signal: abort.signal, ...(isFirst && { body }) });
      if (response.status === 503) await sleep(500);
      else if (response.status !== 200)
        throw new BrokenPromise(`a stream was answered ${response.status} after ${messages.length} events`);
      let taken = 0;
      for await (const event of eventsOf(response)) {
        lastId = event.id ?? lastId;
        if (event.data !== '') messages.push(event.data);
        if (isLast(event.data) || ((taken += 1) >= cutAfter && lastId !== undefined)) break;
      }
    } catch (error) {
      if (error instanceof BrokenPromise) throw error;
      await sleep(20);
    } finally {
      clearTimeout(timer);
      abort.abort();
    }
    if (isLast(messages.at(-1))) return messages;
    if (lastId === undefined) return undefined;
  }
  throw new BrokenPromise(`lost: neither an answer nor an error; ${messages.length} events before`);
}

/** Whether a message is a response. */
function isLast(data = ''): boolean {
  return /"(?:result|error)":/.test(data);
}

/** Checks the messages of a stream against its call. */
export function judgeSteps(
  messages: readonly string[],
  { mark, steps }: { readonly mark: string; readonly steps: number },
): void {
  const told = messages.slice(0, -1).map((data) => Number(/"progress":(\d+)/.exec(data)?.[1]));
  const last = messages.at(-1) ?? '';
  const isWhole = told.every((step, index) => step === index + 1);
  if (!isWhole) throw new BrokenPromise(`doubled, missed or out of order: ${told.join()}, then ${last}`);
  if (last.includes('answer_lost')) return;
  if (!last.includes(mark)) throw new BrokenPromise(`misdelivered: ${last}`);
  if (told.length !== steps) throw new BrokenPromise(`missed: ${told.length} steps of ${steps}`);
}

/** A promise that was not kept. */
export class BrokenPromise extends Error {
  override readonly name = 'BrokenPromise';
}

/** The answers to a call, among the events of a stream. */
function answersTo(heard: readonly StreamEvent[], id: number): StreamEvent[] {
  return heard.filter(({ data }) => data.includes(`"id":${id},`) || data.endsWith(`"id":${id}}`));
}

/** Waits until something is found, or the stream is over, or the answer counts as lost. */
async function waitFor<Item>(find: () => readonly Item[], isOver: () => boolean): Promise<readonly Item[]> {
  const untilMs = performance.now() + LOST_AFTER_MS;
  while (find().length === 0 && !isOver() && performance.now() < untilMs) await sleep(10);
  return find();
}

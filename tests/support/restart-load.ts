/** Puts load on a server while its processes restart in turn: calls at a rate, an HTTP+SSE session and a stream. Failures are recorded. */
import { setTimeout as delay } from 'node:timers/promises';
import { callTool, openMcpSession, type RequestOptions, send, stateless } from './raw-http.ts';
import { TOKEN } from './server-process.ts';
import { openSse, openStream, type SseSession } from './sse-reader.ts';

/** The result of a load. */
export interface Outcome {
  /** How many calls were answered as they should be. */
  readonly calls: number;
  readonly perSecond: number;
  /** The failures, in words. */
  readonly failures: readonly string[];
}

/** Ends the load, and returns its result. */
export type EndLoad = () => Promise<Outcome>;

/** What the parts of a load share. */
interface Load {
  readonly url: string;
  isOver(): boolean;
  /** Records a call that succeeded; with words, one that failed. */
  note(failure?: string): void;
}

/** How often due calls are started; all calls due by then start at once. Milliseconds. */
const TICK_MS = 20;

/** The most calls in flight: a machine that is busy with something else is sent fewer. */
const MAX_IN_FLIGHT = 64;

/** Starts the load on an address. Set `withSse` only where every process reaches every stream. */
export function startLoad(
  url: string,
  { perSecond, withSse }: { readonly perSecond: number; readonly withSse: boolean },
): EndLoad {
  const failures: string[] = [];
  let [calls, isOver] = [0, false];
  const startMs = performance.now();
  const load: Load = {
    url,
    isOver: () => isOver,
    note: (failure) => (failure === undefined ? (calls += 1) : failures.push(failure)),
  };
  const parts = [callAtRate(load, perSecond), holdStream(load)];
  if (withSse) parts.push(callOverSse(load, perSecond));
  const ended = Promise.all(
    parts.map(async (part) => part.catch((error: unknown) => load.note(`ended by ${String(error)}`))),
  );
  return async () => {
    isOver = true;
    await ended;
    return { calls, perSecond: Math.round((calls * 1000) / (performance.now() - startMs)), failures };
  };
}

/** Calls a tool at a rate, alternately in one session and without any. */
async function callAtRate({ url, isOver, note }: Load, perSecond: number): Promise<void> {
  const input = { message: 'here' };
  const session = await openMcpSession(url, TOKEN.ada);
  const kinds: readonly RequestOptions[] = [
    { headers: session.headers, body: callTool(1, 'echo_message', input) },
    stateless(
      { method: 'tools/call', params: { name: 'echo_message', arguments: input } },
      { token: TOKEN.ada },
    ),
  ];
  const inFlight = new Set<Promise<void>>();
  const one = async (options: RequestOptions): Promise<void> => {
    const { status, text } = await send(`${url}/mcp`, options);
    note(status === 200 && text.includes('"here"') ? undefined : `${status} ${text.slice(0, 200)}`);
  };
  const startMs = performance.now();
  for (let begun = 0; !isOver(); await delay(TICK_MS)) {
    const due = Math.floor(((performance.now() - startMs) * perSecond) / 1000);
    // Calls that could not start in time are dropped, so that the server is not sent a second's worth at once.
    begun = Math.max(begun, due - MAX_IN_FLIGHT);
    for (; begun < due && inFlight.size < MAX_IN_FLIGHT; begun += 1) {
      const call = one(kinds[begun % kinds.length] ?? {})
        .catch((error: unknown) => note(`no answer: ${String(error)}`))
        .finally(() => inFlight.delete(call));
      inFlight.add(call);
    }
  }
  await Promise.all(inFlight);
}

/** Calls over HTTP+SSE one after the other, at most at a rate. When the stream ends, opens another one, as clients do. */
async function callOverSse(load: Load, perSecond: number): Promise<void> {
  while (!load.isOver()) {
    const session = await openSse(load.url, TOKEN.ada);
    for (let id = 1; !load.isOver() && (await isAnswered(load, session, id)); id += 1)
      await delay(1_000 / perSecond);
    session.close();
  }
}

/** Makes a call; returns whether the session goes on afterwards. */
async function isAnswered({ note }: Load, session: SseSession, id: number): Promise<boolean> {
  const { status, text } = await session.post(callTool(id, 'whoami'));
  if (status === 202) {
    // 202 is a promise that the answer will come.
    const answer = await session.answerTo(id).catch((error: unknown) => String(error));
    const isRight = JSON.stringify(answer).includes('"userId":"ada"');
    note(isRight ? undefined : `accepted and not answered: ${JSON.stringify(answer)}`);
    return isRight;
  }
  // A refused call was not carried out. A client may be refused before it hears of the end of its stream.
  const end = await session.over().catch(() => undefined);
  if (end === undefined) note(`refused with ${status} ${text.slice(0, 200)} while its stream goes on`);
  return false;
}

/** Holds a session's own stream, and resumes it whenever it ends. */
async function holdStream({ url, isOver, note }: Load): Promise<void> {
  const { headers } = await openMcpSession(url, TOKEN.bob);
  let lastId: string | undefined;
  while (!isOver()) {
    const stream = await openStream(`${url}/mcp`, {
      headers: { ...headers, ...(lastId !== undefined && { 'Last-Event-ID': lastId }) },
    });
    note(stream.status === 200 ? undefined : `GET: ${stream.status}`);
    let hasEnded = false;
    while (!isOver() && !hasEnded)
      hasEnded = await stream.over(200).then(
        () => true,
        () => false,
      );
    lastId = stream.frames.findLast(({ id }) => id !== undefined)?.id ?? lastId;
    stream.close();
  }
}

/** A broken stream is resumed by the id of its last event: with the missed events, then new ones, each once and in order. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { MemoryEventStore } from '../../../src/sessions/memory-event-store.ts';
import { fixtureTools } from '../../../lab/fixture/tools.mjs';
import {
  callTool,
  eventually,
  openMcpSession,
  type RawSession,
  rpc,
  send,
  stateless,
} from '../../support/raw-http.ts';
import { openSse, openStream, type StreamReader } from '../../support/sse-reader.ts';
import {
  ADA,
  BOB,
  startTestServer,
  type TestServer,
  type TestServerOptions,
} from '../../support/start-server.ts';
import { createSteppedTool, type SteppedTool } from '../../support/stepped-tool.ts';

const SCOPED = 'tok_ada_scoped_0123456789';
const OTHER_SCOPE = 'tok_ada_other_0123456789';

let server: TestServer;
let walk: SteppedTool;
let nowMs: number;
let store: MemoryEventStore;
afterEach(async () => {
  walk.finishAll();
  await server.close();
});

/** Starts a server with the tool `walk`, and a store whose clock the test sets. */
async function start(options: TestServerOptions & { readonly scope?: string } = {}): Promise<void> {
  const { scope, ...rest } = options;
  walk = createSteppedTool(scope === undefined ? {} : { scope });
  nowMs = 1_000_000;
  store = new MemoryEventStore({ now: () => nowMs });
  server = await startTestServer({ tools: [...fixtureTools, walk.tool], store, ...rest });
}

/** A call of `walk` that asks for progress. */
const walking = (id: string | number): object =>
  rpc(id, 'tools/call', { name: 'walk', arguments: {}, _meta: { progressToken: 'p' } });

/** Sends a request whose answer is a stream. */
const post = ({ headers }: RawSession, body: object): Promise<StreamReader> =>
  openStream(`${server.url}/mcp`, { headers, body });

/** Resumes a stream of a session after an event. */
const resume = (
  { headers }: Pick<RawSession, 'headers'>,
  lastEventId: string,
  more: Readonly<Record<string, string>> = {},
): Promise<StreamReader> =>
  openStream(`${server.url}/mcp`, { headers: { ...headers, 'Last-Event-ID': lastEventId, ...more } });

/** The same request, for an answer that is no stream. */
const ask = ({ headers }: Pick<RawSession, 'headers'>, lastEventId: string) =>
  send(`${server.url}/mcp`, { headers: { ...headers, 'Last-Event-ID': lastEventId } });

/** The event ids on a stream so far. */
const idsOf = ({ frames }: StreamReader): string[] => frames.flatMap(({ id }) => id ?? []);

/** What streams have carried so far: the progress of the call, and its answer or error. */
function saidOn(...streams: readonly StreamReader[]): unknown[] {
  return streams
    .flatMap((stream) => stream.messages())
    .map((message) => {
      const { params, result, error } = message as {
        params?: { progress: number };
        result?: { content: { text: string }[] };
        error?: { data: unknown };
      };
      return params?.progress ?? result?.content[0]?.text ?? error?.data;
    });
}

/** Waits until there are so many messages. */
const untilSaid = (stream: StreamReader, count: number): Promise<void> =>
  eventually(() => stream.messages().length >= count, { what: `${count} messages` });

/** Opens a session, and on it a stream that has carried so many progress messages. */
async function startWalking(steps: number, revision = '2025-11-25', token = ADA) {
  const session = await openMcpSession(server.url, token, revision);
  const opening = post(session, walking(1));
  const call = await walk.call();
  await call.step(steps);
  const stream = await opening;
  await untilSaid(stream, steps);
  return { session, stream, call, last: idsOf(stream).at(-1) ?? '' };
}

describe('a broken stream of a POST', () => {
  test('is resumed with the missed events, then new ones, up to the answer, while the tool keeps running', async () => {
    await start();
    const { session, stream, call, last } = await startWalking(2);
    stream.close();
    await call.step(2);

    const again = await resume(session, last);
    await untilSaid(again, 2);
    await call.step();
    call.finish('there');
    const end = await again.over();

    expect([again.status, again.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    expect(saidOn(stream, again)).toEqual([1, 2, 3, 4, 5, 'there']);
    expect(end).toBe('ended');
    expect(call.context.signal.aborted).toBe(false);
    // A resumed stream begins with the id that it resumes from: it may break before anything else arrives.
    expect(idsOf(again)[0]).toBe(last);
    expect(server.lines).toContainEqual(
      expect.objectContaining({ msg: 'stream resumed', userId: 'ada', stream: 'post', missed: 2 }),
    );
  });

  test('is resumed from an event before the last one that arrived', async () => {
    await start();
    const { session, stream, call } = await startWalking(3);
    const [, first = ''] = idsOf(stream);
    call.finish('there');
    await stream.over();

    const again = await resume(session, first);
    await again.over();

    expect(saidOn(again)).toEqual([2, 3, 'there']);
    expect(idsOf(again)).toEqual([first, ...idsOf(stream).slice(2)]);
  });

  test('keeps an answer that came while the client was away', async () => {
    await start();
    const { session, stream, call, last } = await startWalking(1);
    stream.close();
    call.finish('there');

    nowMs += 299_000;
    store.tick();
    const again = await resume(session, last);
    await again.over();

    expect(saidOn(again)).toEqual(['there']);
  });

  test('begins after a second without an answer, so that the client has an id to resume from', async () => {
    await start();
    const session = await openMcpSession(server.url, ADA);
    const stream = await post(session, callTool(1, 'walk'));
    const { frames } = stream;
    await eventually(() => frames.length >= 2);
    const [last = ''] = idsOf(stream);
    stream.close();
    const call = await walk.call();
    call.finish('there');

    const again = await resume(session, last);
    await again.over();

    expect(frames).toEqual([{ comment: 'open' }, { id: last, data: '' }]);
    expect(saidOn(again)).toEqual(['there']);
    expect(call.context.signal.aborted).toBe(false);
  });

  test('of a batch is resumed with every missing answer', async () => {
    await start();
    const session = await openMcpSession(server.url, ADA, '2025-03-26');
    const opening = post(session, [walking(1), walking(2)]);
    const [one, two] = [await walk.call(0), await walk.call(1)];
    await one.step();
    const stream = await opening;
    await untilSaid(stream, 1);
    stream.close();
    two.finish('second');
    one.finish('first');

    const again = await resume(session, idsOf(stream).at(-1) ?? '');
    await again.over();

    expect(saidOn(again)).toEqual(['second', 'first']);
  });

  test.each([{ features: [] }, { features: [{ name: 'nothing' }] }])(
    'is resumed alike on the fast lane and by the SDK: %j',
    async ({ features }) => {
      await start({ features });
      const { session, stream, call, last } = await startWalking(1);
      stream.close();
      await eventually(() => stream.messages().length > 0);

      const again = await resume(session, last);
      await call.step();
      call.finish('there');
      await again.over();

      expect(saidOn(again)).toEqual([2, 'there']);
    },
  );
});

describe('a client that resumes a stream', () => {
  test('takes it over from a response that is still open, also from another resumed one', async () => {
    await start();
    const { session, stream, call, last } = await startWalking(1);

    const second = await resume(session, last);
    const first = await stream.over();
    const third = await resume(session, last);
    const ends = [first, await second.over()];
    call.finish('there');
    await third.over();

    expect([stream.status, second.status, third.status]).toEqual([200, 200, 200]);
    expect(ends).toEqual(['ended', 'ended']);
    expect([saidOn(second), saidOn(third)]).toEqual([[], ['there']]);
  });

  test('after the answer gets 204, whether or not its events are still kept', async () => {
    await start();
    const { session, stream, call } = await startWalking(1);
    call.finish('there');
    await stream.over();
    const last = idsOf(stream).at(-1) ?? '';

    const soon = await ask(session, last);
    nowMs += 301_000;
    store.tick();
    const late = await ask(session, last);

    expect([soon.status, late.status]).toEqual([204, 204]);
  });

  test('after a cancellation gets 204', async () => {
    await start();
    const { session, stream, call, last } = await startWalking(1);
    await session.post({
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId: 1 },
    });
    await stream.over();

    const again = await ask(session, last);

    expect(call.context.signal.aborted).toBe(true);
    expect(again.status).toBe(204);
  });

  test('after its events have expired gets an error for its request', async () => {
    await start();
    const { session, stream, call, last } = await startWalking(1);
    call.finish('there');
    await stream.over();
    nowMs += 301_000;
    store.tick();

    const again = await resume(session, last);
    const error = await again.answerTo(1);
    await again.over();
    const asked = await ask(session, idsOf(again).at(-1) ?? '');

    expect(store.size).toEqual({ streams: 0, bytes: 0 });
    expect(error).toMatchObject({ error: { code: -32_001, data: { error: 'answer_lost' } } });
    // Clients that do not accept an error as the answer resume again.
    expect(asked.status).toBe(204);
    expect(server.lines).toContainEqual(
      expect.objectContaining({ msg: 'stream not resumed', reason: 'answer_lost' }),
    );
  });

  test('of a batch after its events have expired gets an error for each request', async () => {
    await start();
    const session = await openMcpSession(server.url, ADA, '2025-03-26');
    const opening = post(session, [walking('one'), walking(2)]);
    const [one, two] = [await walk.call(0), await walk.call(1)];
    await one.step();
    one.finish('first');
    two.finish('second');
    const stream = await opening;
    await stream.over();
    nowMs += 301_000;
    store.tick();

    const again = await resume(session, idsOf(stream)[0] ?? '');
    await again.over();

    expect(again.messages()).toMatchObject([
      { id: 'one', error: {} },
      { id: 2, error: {} },
    ]);
  });

  test('gets 410 when the events have expired and the request id is too long to be in the event id', async () => {
    await start();
    const session = await openMcpSession(server.url, ADA);
    const opening = post(session, walking('i'.repeat(100)));
    const call = await walk.call();
    await call.step();
    call.finish('there');
    const stream = await opening;
    await stream.over();
    nowMs += 301_000;
    store.tick();

    const again = await ask(session, idsOf(stream)[0] ?? '');

    expect(again).toMatchObject({ status: 410, body: { error: { data: { error: 'answer_lost' } } } });
  });

  test('gets the error when the answer was too large to be kept', async () => {
    await start();
    const { session, stream, call, last } = await startWalking(1);
    stream.close();
    call.finish('x'.repeat(1024 * 1024));

    const again = await resume(session, last);
    await again.over();

    expect(saidOn(again)).toEqual([{ error: 'answer_lost' }]);
  });
});

describe('an event id', () => {
  test('that is altered anywhere is 400, and does not affect the stream', async () => {
    await start();
    const { session, stream, call, last } = await startWalking(2);
    const altered = Array.from(last).map((character, at) => {
      const other = character === 'A' ? 'B' : 'A';
      return `${last.slice(0, at)}${other}${last.slice(at + 1)}`;
    });
    const beyond = last.replace('.2.', '.3.');

    const answers = await Promise.all(
      [...altered, beyond, `${last}.`, 'x', '0'].map((id) => ask(session, id)),
    );
    call.finish('there');
    await stream.over();

    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([400]));
    expect(answers[0]?.body).toMatchObject({
      error: { message: expect.stringMatching(/Last-Event-ID/), data: { error: 'unknown_event' } },
    });
    expect(saidOn(stream)).toEqual([1, 2, 'there']);
  });

  test('is 400 in another session, also of the same user', async () => {
    await start();
    const { call, last } = await startWalking(1);
    const others = [await openMcpSession(server.url, ADA), await openMcpSession(server.url, BOB)];
    call.finish('secret');

    const answers = await Promise.all(others.map((session) => ask(session, last)));

    expect(answers.map(({ status }) => status)).toEqual([400, 400]);
    expect(answers.map(({ text }) => text).join('')).not.toContain('secret');
  });

  test("is 404 with another user's session, or an ended one", async () => {
    await start();
    const { session, call, last } = await startWalking(1);
    call.finish('secret');

    const foreign = await ask({ headers: { ...session.headers, Authorization: `Bearer ${BOB}` } }, last);
    await send(`${server.url}/mcp`, { method: 'DELETE', headers: session.headers });
    const ended = await ask(session, last);

    expect([foreign.status, ended.status]).toEqual([404, 404]);
    expect(foreign.text + ended.text).not.toContain('secret');
    expect(store.size).toEqual({ streams: 0, bytes: 0 });
  });
});

describe('authorization of a resumed stream', () => {
  const tokens = {
    [SCOPED]: { userId: 'ada', scopes: ['walk'] },
    [OTHER_SCOPE]: { userId: 'ada', scopes: ['else'] },
  };

  test('is checked anew: another token of the user without the scope gets an error, and does not affect the stream', async () => {
    await start({ tokens, scope: 'walk' });
    const { session, stream, call, last } = await startWalking(1, '2025-11-25', SCOPED);

    const lesser = await resume(session, last, { Authorization: `Bearer ${OTHER_SCOPE}` });
    await lesser.over();
    call.finish('secret');
    await stream.over();

    expect(lesser.messages()).toMatchObject([{ id: 1, error: { data: { error: 'insufficient_scope' } } }]);
    expect(saidOn(stream)).toEqual([1, 'secret']);
  });

  test('ends with the token: the call is aborted, and the token is 401', async () => {
    await start({ tokens: { ...tokens, [BOB]: { userId: 'bob' } }, scope: 'walk' });
    const { session, stream, call, last } = await startWalking(1, '2025-11-25', SCOPED);
    stream.close();

    await server.writeTokens({ [OTHER_SCOPE]: tokens[OTHER_SCOPE], [BOB]: { userId: 'bob' } });
    await eventually(() => call.context.signal.aborted, { what: 'the call to be aborted' });
    const revoked = await ask(session, last);
    await server.writeTokens({ [BOB]: { userId: 'bob' } });
    await eventually(() => store.size.streams === 0, { what: 'the session to end' });

    expect(revoked.status).toBe(401);
  });

  test('is per user: a stream that another token of the user began can be resumed', async () => {
    await start({ tokens: { ...tokens, [ADA]: { userId: 'ada' } }, scope: 'walk' });
    const { session, stream, call, last } = await startWalking(1, '2025-11-25', SCOPED);
    stream.close();
    call.finish('there');

    const again = await resume(session, last, { Authorization: `Bearer ${ADA}` });
    await again.over();

    expect(saidOn(again)).toEqual(['there']);
  });
});

describe('the rules of each revision', () => {
  test.each(['2025-03-26', '2025-06-18'])(
    'streams of %s have ids on their messages, and no event without data, also when resumed',
    async (revision) => {
      await start();
      const { session, stream, call, last } = await startWalking(1, revision);
      stream.close();

      const again = await resume(session, last);
      call.finish('there');
      await again.over();

      const frames = [...stream.frames, ...again.frames].filter(({ comment }) => comment === undefined);
      expect(frames.map(({ id, data, retry }) => [typeof id, data === '', retry])).toEqual([
        ['string', false, undefined],
        ['string', false, undefined],
      ]);
      expect(saidOn(stream, again)).toEqual([1, 'there']);
    },
  );

  test('a stream of 2025-11-25 begins with an event that has an id and no data', async () => {
    await start();
    const { stream } = await startWalking(1);

    const [open, primer, step] = stream.frames;

    expect([open, primer]).toEqual([
      { comment: 'open' },
      { id: expect.stringMatching(/^p\..*\.0\./), data: '' },
    ]);
    expect(step?.id).toMatch(/^p\..*\.1\./);
  });

  test('streams of 2026-07-28 have no ids, and Last-Event-ID has no effect', async () => {
    await start();
    const call = stateless({
      method: 'subscriptions/listen',
      params: { notifications: { toolsListChanged: true } },
    });
    const request = { ...call, token: ADA, headers: { ...call.headers, 'Last-Event-ID': 'p.x.1' } };
    const stream = await openStream(`${server.url}/mcp`, request);
    await untilSaid(stream, 1);
    stream.close();
    const got = await send(`${server.url}/mcp`, {
      token: ADA,
      headers: { 'MCP-Protocol-Version': '2026-07-28', 'Last-Event-ID': 'p.x.1' },
    });

    expect(stream.status).toBe(200);
    expect(idsOf(stream)).toEqual([]);
    expect(got.status).toBe(405);
    expect(store.size.streams).toBe(0);
  });

  test('streams of HTTP+SSE have no ids, and Last-Event-ID opens a new session', async () => {
    await start();
    const sse = await openSse(server.url, ADA);
    await sse.post(callTool(1, 'whoami'));
    await sse.answerTo(1);
    sse.close();

    const again = await openStream(`${server.url}/sse`, {
      token: ADA,
      headers: { 'Last-Event-ID': 'p.x.1' },
    });
    await again.waitFor(({ event }) => event === 'endpoint');
    again.close();

    expect([...idsOf(sse), ...idsOf(again)]).toEqual([]);
    expect(store.size.streams).toBe(0);
  });
});

test('nothing is kept of an answer in plain JSON, or of a stream without a session', async () => {
  await start();
  const session = await openMcpSession(server.url, ADA);

  const plain = await session.post(callTool(1, 'whoami'));
  const homeless = send(`${server.url}/mcp`, { token: ADA, body: walking(2) });
  const call = await walk.call();
  await call.step();
  call.finish('there');

  expect(plain.headers.get('content-type')).toBe('application/json');
  expect((await homeless).text).not.toMatch(/^id:/m);
  expect(store.size).toEqual({ streams: 0, bytes: 0 });
});

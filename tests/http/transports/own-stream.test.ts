/** The stream of a session (GET) that breaks: a client that returns gets what was sent meanwhile, and only one response at a time has the stream. */
import { afterEach, expect, test } from '@jest/globals';
import type { FeatureContext, Feature } from '../../../src/mcp/feature.ts';
import { MemoryEventStore } from '../../../src/sessions/memory-event-store.ts';
import type { EventStore } from '../../../src/sessions/event-store.ts';
import { eventually, openMcpSession, type RawSession, send } from '../../support/raw-http.ts';
import { openStream, type StreamReader } from '../../support/sse-reader.ts';
import { ADA, startTestServer, type TestServer } from '../../support/start-server.ts';

let server: TestServer;
let store: MemoryEventStore;
let nowMs: number;
/** What the store waits for before it looks a stream up, as if it were elsewhere, and how many lookups wait. */
let lookUp: Promise<void> | undefined;
let waiting: number;
let changes: FeatureContext['changes'];
/** Closes the server, once. */
let stop: () => Promise<boolean>;
afterEach(async () => stop());

/** Lets the tests send three different notifications. */
const changing: Feature = {
  name: 'changing',
  options: {
    capabilities: {
      tools: { listChanged: true },
      prompts: { listChanged: true },
      resources: { listChanged: true },
    },
  },
  register: (_server, context) => {
    ({ changes } = context);
  },
};

/** The store, whose lookups wait when a test says so. */
function createSlowStore(): EventStore {
  [lookUp, waiting] = [undefined, 0];
  return {
    begin: (...args) => store.begin(...args),
    resume: async (...args) => {
      waiting += 1;
      await lookUp;
      return store.resume(...args);
    },
    forget: (session) => store.forget(session),
    dismiss: () => store.dismiss(),
    tick: () => store.tick(),
  };
}

/** Starts a server and opens a session with its stream. */
async function start(revision = '2025-11-25', env = {}) {
  nowMs = 1_000_000;
  store = new MemoryEventStore({ now: () => nowMs });
  server = await startTestServer({ features: [changing], store: createSlowStore(), env });
  let stopped: Promise<boolean> | undefined;
  stop = () => (stopped ??= server.close());
  const session = await openMcpSession(server.url, ADA, revision);
  return { session, stream: await open(session) };
}

/** Opens the stream of a session, or resumes it. */
const open = ({ headers }: RawSession, lastEventId?: string): Promise<StreamReader> =>
  openStream(`${server.url}/mcp`, {
    headers: { ...headers, ...(lastEventId !== undefined && { 'Last-Event-ID': lastEventId }) },
  });

/** What was notified on streams, in short: `tools`, `prompts`, `resources`. */
const saidOn = (...streams: readonly StreamReader[]): (string | undefined)[] =>
  streams
    .flatMap((stream) => stream.messages())
    .map((message) => (message as { method: string }).method.split('/')[1]);

/** Waits until there are so many messages. */
const untilSaid = (stream: StreamReader, count: number): Promise<void> =>
  eventually(() => stream.messages().length === count, { what: `${count} messages` });

/** The last event id on a stream. */
const lastIdOf = ({ frames }: StreamReader): string => frames.flatMap(({ id }) => id ?? []).at(-1) ?? '';

/** How many GET requests have ended. */
const countEnds = (): number =>
  server.lines.filter(({ msg, method }) => msg === 'request' && method === 'GET').length;

/** Closes a stream and waits until the server has noticed, which is when it logs the request. */
async function leave(stream: StreamReader): Promise<void> {
  const before = countEnds();
  stream.close();
  await eventually(() => countEnds() > before, { what: 'the server to notice' });
}

test.each(['2025-06-18', '2025-11-25'])(
  'a resumed stream has the missed messages first, then new ones, in %s',
  async (revision) => {
    const { session, stream } = await start(revision);
    changes.toolsChanged();
    await untilSaid(stream, 1);
    await leave(stream);
    changes.promptsChanged();

    const again = await open(session, lastIdOf(stream));
    await untilSaid(again, 1);
    changes.resourcesChanged();
    await untilSaid(again, 2);
    again.close();

    expect(saidOn(stream, again)).toEqual(['tools', 'prompts', 'resources']);
    expect(again.frames.some(({ data }) => data === '')).toBe(revision === '2025-11-25');
  },
);

test('a stream that broke before its first message keeps what is sent afterwards', async () => {
  const { session, stream } = await start();
  await eventually(() => lastIdOf(stream) !== '');
  await leave(stream);
  changes.toolsChanged();

  const again = await open(session, lastIdOf(stream));
  await untilSaid(again, 1);
  again.close();

  expect(saidOn(again)).toEqual(['tools']);
});

test('a stream without any message can be resumed and taken over repeatedly, but not beyond its last event', async () => {
  const { session, stream } = await start();
  await eventually(() => lastIdOf(stream) !== '');
  const id = lastIdOf(stream);

  const second = await open(session, id);
  const third = await open(session, id);
  const ends = [await stream.over(), await second.over()];
  const beyond = await open(session, id.replace(/0$/, '1'));
  changes.toolsChanged();
  await untilSaid(third, 1);
  third.close();

  expect(ends).toEqual(['ended', 'ended']);
  expect(beyond.status).toBe(400);
  expect(saidOn(stream, second, third)).toEqual(['tools']);
});

test('a new stream ends the previous one, whose event ids then give only what was missed', async () => {
  const { session, stream } = await start();
  changes.toolsChanged();
  await untilSaid(stream, 1);
  const [first = ''] = stream.frames.flatMap(({ id }) => id ?? []);

  const fresh = await open(session);
  await stream.over();
  const missed = await open(session, first);
  await missed.over();
  const nothing = await open(session, lastIdOf(stream));
  changes.promptsChanged();
  await untilSaid(fresh, 1);
  fresh.close();

  expect([saidOn(missed), saidOn(fresh)]).toEqual([['tools'], ['prompts']]);
  expect(nothing.status).toBe(204);
});

test('when the events of a stream have expired, its client gets a new stream, and only once', async () => {
  const { session, stream } = await start();
  changes.toolsChanged();
  await untilSaid(stream, 1);
  await leave(stream);
  nowMs += 301_000;
  store.tick();

  const fresh = await open(session, lastIdOf(stream));
  changes.promptsChanged();
  await untilSaid(fresh, 1);
  const other = await open(session, lastIdOf(stream));
  fresh.close();

  expect(saidOn(fresh)).toEqual(['prompts']);
  // Two responses that each took the stream from the other would do so for ever.
  expect(other.status).toBe(204);
});

test('a session that ends closes its stream and discards its events', async () => {
  const { session, stream } = await start();
  changes.toolsChanged();
  await untilSaid(stream, 1);

  await send(`${server.url}/mcp`, { method: 'DELETE', headers: session.headers });
  await stream.over();
  const again = await open(session, lastIdOf(stream));

  expect(again.status).toBe(404);
  expect(store.size).toEqual({ streams: 0, bytes: 0 });
});

test('a resumed stream ends at a shutdown with a retry', async () => {
  const { session, stream } = await start();
  await eventually(() => lastIdOf(stream) !== '');
  const again = await open(session, lastIdOf(stream));
  await stream.over();
  changes.toolsChanged();
  await untilSaid(again, 1);
  const third = await open(session, lastIdOf(again));

  const finished = stop();
  const end = await third.over();

  expect([end, await finished]).toEqual(['ended', true]);
  expect(third.frames.at(-1)).toEqual({ retry: '8000' });
});

/** Makes lookups wait from now on; returns what releases them. */
function holdLookUp(): () => void {
  let goOn: (() => void) | undefined;
  lookUp = new Promise((resolve) => {
    goOn = resolve;
  });
  return () => goOn?.();
}

test('a client that disconnects during the lookup of its stream does not keep its session open', async () => {
  const { session, stream } = await start('2025-11-25', { MAX_SESSIONS_PER_USER: '1' });
  changes.toolsChanged();
  await untilSaid(stream, 1);
  await leave(stream);
  nowMs += 301_000;
  store.tick();
  const [goOn, before, gone] = [holdLookUp(), countEnds(), new AbortController()];
  const headers = { ...session.headers, Accept: 'text/event-stream', 'Last-Event-ID': lastIdOf(stream) };
  const asked = fetch(`${server.url}/mcp`, { headers, signal: gone.signal }).catch(() => undefined);
  await eventually(() => waiting === 1, { what: 'the store to be asked' });
  gone.abort();
  await asked;
  await eventually(() => countEnds() > before, { what: 'the server to notice' });

  goOn();
  await lookUp;
  const other = await openMcpSession(server.url, ADA);

  expect(other.id).not.toBe(session.id);
});

test('a stream that is found after a shutdown has begun ends with a retry', async () => {
  const { session, stream } = await start();
  changes.toolsChanged();
  await untilSaid(stream, 1);
  await leave(stream);
  const goOn = holdLookUp();
  const opening = open(session, lastIdOf(stream));
  await eventually(() => waiting === 1, { what: 'the store to be asked' });

  const finished = stop();
  await eventually(async () => (await fetch(server.url).catch(() => undefined)) === undefined);
  goOn();
  const again = await opening;

  expect([await again.over(), await finished]).toEqual(['ended', true]);
  expect(again.frames.at(-1)).toEqual({ retry: '8000' });
});

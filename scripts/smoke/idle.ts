/** Holds a stream of each transport for a while and tells whether they survived, which measures the host's limits on connections. */
import type { EventStreamReader } from './event-stream.ts';
import { SLACK_MS } from './heartbeat.ts';
import { ask, type Target } from './http.ts';
import { CheckFailure } from './outcome.ts';
import type { SmokeOptions } from './options.ts';
import { openSessionStream } from './post-stream.ts';
import { openRawSession, PING } from './raw-session.ts';
import { openSse } from './sse.ts';
import type { Passed } from './steps.ts';

const LIMIT =
  "Hosts and proxies have a limit on how long a connection may be silent or last at all. Set SSE_KEEPALIVE_SECONDS below the first; for the second, clients have to reconnect, and most do. See the host's documentation.";

/** How long, and what is expected meanwhile. */
interface Idle extends Pick<SmokeOptions, 'heartbeatMs'> {
  readonly idleMs: number;
  readonly sseEnabled: boolean;
}

/** A stream that is held. */
interface HeldStream {
  readonly what: string;
  readonly reader: EventStreamReader;
  /** Whether it is still of use. */
  isAlive(): Promise<boolean>;
  close(): Promise<void>;
}

/** Opens the streams, waits, and uses each once more. */
export async function checkIdle(target: Target, { idleMs, heartbeatMs, sseEnabled }: Idle): Promise<Passed> {
  const held: HeldStream[] = [];
  try {
    if (sseEnabled) held.push(await holdSse(target));
    held.push(await holdSession(target, heartbeatMs));
    // To the end even when one is over: each has a limit of its own.
    await Promise.all(held.map(async ({ reader }) => reader.waitUntil(() => false, idleMs)));
    const problems = await Promise.all(held.map(problemOf));
    const found = problems.filter((problem) => problem !== undefined);
    if (found.length > 0) throw new CheckFailure(found.join(' '), LIMIT);
    const beats = held.map(({ what, reader }) => `${what} with ${reader.comments().length} heartbeats`);
    return { detail: `survived ${Math.round(idleMs / 1000)} s, and still answers: ${beats.join(', ')}` };
  } finally {
    await Promise.all(held.map(async (stream) => stream.close()));
  }
}

/** What has become of a stream, if it is of no use any more. */
async function problemOf({ what, reader, isAlive }: HeldStream): Promise<string | undefined> {
  const lastedMs = (reader.overMs() ?? performance.now()) - reader.openedMs;
  const lasted = `${Math.round(lastedMs / 1000)} s`;
  if (reader.isOver()) return `The stream of ${what} was closed after ${lasted}.`;
  if (await isAlive()) return undefined;
  return `After ${lasted} the stream of ${what} looks open, but nothing comes through.`;
}

/** A stream of HTTP+SSE, on which a ping is answered. */
async function holdSse(target: Target): Promise<HeldStream> {
  const { reader, endpoint } = await openSse(target);
  return {
    what: 'HTTP+SSE',
    reader,
    async isAlive() {
      await ask(target, endpoint, { token: target.token, body: { ...PING, id: 'idle' } });
      const answer = await reader.waitForEvent(({ data }) => data.includes('"idle"'), target.timeoutMs);
      return answer !== undefined;
    },
    close: async () => reader.close(),
  };
}

/** A session's stream, on which nothing is answered: there its heartbeats count. */
async function holdSession(target: Target, heartbeatMs: number): Promise<HeldStream> {
  const session = await openRawSession(target);
  try {
    const { reader } = await openSessionStream(target, session);
    return {
      what: 'Streamable HTTP (GET /mcp)',
      reader,
      isAlive: async () => performance.now() - reader.lastByteMs() <= heartbeatMs + SLACK_MS,
      async close() {
        reader.close();
        await session.end();
      },
    };
  } catch (error) {
    await session.end();
    throw error;
  }
}

/** Holds a stream of each transport for a while and checks that it survives: this finds the host's limits on connections. */
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
  "Hosts and proxies limit how long a connection may be silent, or how long it may last. Set SSE_KEEPALIVE_SECONDS below the first limit. At the second, clients have to reconnect, and most do. See the host's documentation.";

/** How long to hold the streams, and what to expect meanwhile. */
interface Idle extends Pick<SmokeOptions, 'heartbeatMs'> {
  readonly idleMs: number;
  readonly sseEnabled: boolean;
}

/** A stream that is held open. */
interface HeldStream {
  readonly what: string;
  readonly reader: EventStreamReader;
  /** Whether messages, or heartbeats, still come through. */
  isAlive(): Promise<boolean>;
  close(): Promise<void>;
}

/** Opens the streams, waits, and uses each once more. */
export async function checkIdle(target: Target, { idleMs, heartbeatMs, sseEnabled }: Idle): Promise<Passed> {
  const held: HeldStream[] = [];
  try {
    if (sseEnabled) held.push(await holdSse(target));
    held.push(await holdSession(target, heartbeatMs));
    // Waits the whole time even when one stream has ended: each may meet another limit.
    await Promise.all(held.map(async ({ reader }) => reader.waitUntil(() => false, idleMs)));
    const problems = await Promise.all(held.map(problemOf));
    const found = problems.filter((problem) => problem !== undefined);
    if (found.length > 0) throw new CheckFailure(found.join(' '), LIMIT);
    const beats = held.map(({ what, reader }) => `${what} with ${reader.comments().length} heartbeats`);
    return {
      detail: `survived ${Math.round(idleMs / 1000)} s, and every stream still answers: ${beats.join(', ')}`,
    };
  } finally {
    await Promise.all(held.map(async (stream) => stream.close()));
  }
}

/** What has happened to a stream that has ended or is dead; undefined when it is alive. */
async function problemOf({ what, reader, isAlive }: HeldStream): Promise<string | undefined> {
  const lastedMs = (reader.overMs() ?? performance.now()) - reader.openedMs;
  const lasted = `${Math.round(lastedMs / 1000)} s`;
  if (reader.isOver()) return `The stream of ${what} was closed after ${lasted}.`;
  if (await isAlive()) return undefined;
  return `After ${lasted} the stream of ${what} looks open, but nothing comes through.`;
}

/** Holds a stream of HTTP+SSE; it is alive if a ping is answered on it. */
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

/** Holds a session's stream, on which pings are not answered; it is alive if heartbeats come. */
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

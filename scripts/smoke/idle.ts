/** Holds a stream for a while and tells whether it survived, which measures the host's limit on idle connections. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, type Target } from './http.ts';
import { CheckFailure } from './outcome.ts';
import { openSse } from './sse.ts';
import type { Passed } from './steps.ts';

const LIMIT =
  "Hosts and proxies have a limit on how long a connection may be silent or last at all. Set SSE_KEEPALIVE_SECONDS below the first; for the second, clients have to reconnect, and most do. See the host's documentation.";

/** Opens a stream, waits, and uses it once more. */
export async function checkIdle(target: Target, idleMs: number): Promise<Passed> {
  const { reader, endpoint } = await openSse(target);
  try {
    await Promise.race([sleep(idleMs, undefined, { ref: false }), reader.waitUntil(() => false, idleMs)]);
    const lastedS = Math.round((performance.now() - reader.openedMs) / 1000);
    if (reader.isOver()) throw new CheckFailure(`The stream was closed after ${lastedS} s.`, LIMIT);
    await ask(target, endpoint, {
      token: target.token,
      body: { jsonrpc: '2.0', id: 'idle', method: 'ping' },
    });
    const answer = await reader.waitForEvent(({ data }) => data.includes('"idle"'), target.timeoutMs);
    if (answer === undefined)
      throw new CheckFailure(`After ${lastedS} s the stream looks open, but no answer comes through.`, LIMIT);
    return {
      detail: `survived ${lastedS} s, with ${reader.comments().length} heartbeats, and still answers`,
    };
  } finally {
    reader.close();
  }
}

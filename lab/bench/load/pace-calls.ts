/** Calls at a fixed rate, whatever the server does: a slow answer does not delay the start of other calls. */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from './clients.ts';
import type { Recorder } from './recorder.ts';

/** Makes `perSecond` calls a second, each with a client that is free, until the recorder stops. */
export async function paceCalls(
  clients: readonly Client[],
  perSecond: number,
  recorder: Recorder,
): Promise<void> {
  const free = [...clients];
  /** The due times of calls that found no free client; their waiting counts as delay. */
  const queued: number[] = [];
  let failure: { readonly error: unknown } | undefined;

  /** Makes one call, and then the queued ones; after that the client is free again. */
  const useClient = async (client: Client, dueMs: number): Promise<void> => {
    try {
      for (let startedMs: number | undefined = dueMs; startedMs !== undefined; startedMs = queued.shift()) {
        await client.call();
        recorder.record(startedMs, performance.now());
      }
      free.push(client);
    } catch (error) {
      failure ??= { error };
    }
  };

  const beganMs = performance.now();
  for (let calls = 0; !recorder.stopped; calls += 1) {
    const waitMs = beganMs + (calls * 1000) / perSecond - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    if (failure !== undefined) throw failure.error;
    // Measured from the actual start: when a timer of this process is late, that is no delay of the server.
    const client = free.shift();
    if (client === undefined) queued.push(performance.now());
    else void useClient(client, performance.now());
  }
}

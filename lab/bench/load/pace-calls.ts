/** Calls at a fixed rate, whatever the server does: a slow answer delays no other call's beginning. */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from './clients.ts';
import type { Recorder } from './recorder.ts';

/** Makes `perSecond` calls a second with whichever clients are free, until the recorder says stop. */
export async function paceCalls(
  clients: readonly Client[],
  perSecond: number,
  recorder: Recorder,
): Promise<void> {
  const free = [...clients];
  /** When each call that found no free client was due: what it waits counts as its delay. */
  const queued: number[] = [];
  let failure: { readonly error: unknown } | undefined;

  /** Makes the calls that a client is needed for; then it is free again. */
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
    // From when it really begins: this process's own timers being late is no delay of the server's.
    const client = free.shift();
    if (client === undefined) queued.push(performance.now());
    else void useClient(client, performance.now());
  }
}

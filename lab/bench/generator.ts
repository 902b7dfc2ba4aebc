/** The load generator, as seen by its parent: a process on a core of its own that does one job at a time. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { pinned } from './cores.ts';
import type { HoldJob, LoadJob, LoadResult, Reply, ReleaseJob } from './load/job.ts';

/** A generator that is ready for jobs. */
export interface Generator {
  /** Puts load on a server; rejects when an answer was wrong. */
  load(job: Omit<LoadJob, 'type'>): Promise<LoadResult>;
  /** Opens sessions, and keeps them open. */
  hold(job: Omit<HoldJob, 'type'>): Promise<void>;
  /** Closes the sessions that are kept open. */
  release(): Promise<void>;
  close(): void;
}

/** How long a job may take in addition to its own duration. Milliseconds. */
const SLACK_MS = 30_000;

/** Starts the generator's process. */
export function startGenerator(core: number | undefined): Generator {
  const script = fileURLToPath(new URL('./load/main.js', import.meta.url));
  const own = core === undefined ? [] : ['own-core'];
  const [program = '', ...args] = pinned(core, [process.execPath, script, ...own]);
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  // The generator ends by itself when this process has gone; the signal is for one that hangs.
  process.once('exit', () => child.kill('SIGKILL'));

  const ask = async (
    job: LoadJob | HoldJob | ReleaseJob,
    timeoutMs: number,
  ): Promise<LoadResult | undefined> => {
    child.send(job);
    const signal = AbortSignal.timeout(timeoutMs);
    // oxlint-disable-next-line no-unsafe-type-assertion -- load/main.ts sends nothing else
    const [reply] = (await once(child, 'message', { signal }).catch((cause: unknown) => {
      throw new Error('The load generator gave no answer: a response did not come.', { cause });
    })) as [Reply];
    if (!reply.ok) throw new Error(reply.problem);
    return reply.result;
  };
  return {
    async load(job) {
      const servers = 1 + (job.fleet?.others.length ?? 0);
      const timeoutMs = 3 * servers * job.warmUpMs + job.durationMs + SLACK_MS;
      const result = await ask({ type: 'load', ...job }, timeoutMs);
      if (result === undefined) throw new Error('The load generator measured nothing.');
      return result;
    },
    async hold(job) {
      await ask({ type: 'hold', ...job }, SLACK_MS + job.sessions * 20);
    },
    async release() {
      await ask({ type: 'release' }, SLACK_MS);
    },
    close: () => child.disconnect(),
  };
}

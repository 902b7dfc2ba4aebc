/** The process of the load generator: does the jobs that its parent sends, one after the other. */
import { holdSessions } from './hold-sessions.ts';
import type { Job, LoadResult, Reply } from './job.ts';
import { runLoad } from './run-load.ts';
import { stayAwake } from './stay-awake.ts';

/** Whether this process has a core to itself. */
const hasOwnCore = process.argv[2] === 'own-core';

let release = (): void => undefined;

process.on('message', (job: Job) => {
  doJob(job).then(
    (result) => reply({ ok: true, result }),
    (error: unknown) =>
      reply({
        ok: false,
        problem: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
      }),
  );
});
// The parent has gone, so nobody waits for an answer.
process.on('disconnect', () => process.exit());

/** Does one job. */
async function doJob(job: Job): Promise<LoadResult | undefined> {
  if (job.type === 'release') {
    release();
    release = () => undefined;
    return undefined;
  }
  const sleepAgain = hasOwnCore ? stayAwake() : () => undefined;
  if (job.type === 'load') return runLoad(job).finally(sleepAgain);
  const drop = await holdSessions(job);
  release = () => {
    drop();
    sleepAgain();
  };
  return undefined;
}

/** Sends an answer to the parent. */
function reply(message: Reply): void {
  process.send?.(message, undefined, undefined, () => undefined);
}

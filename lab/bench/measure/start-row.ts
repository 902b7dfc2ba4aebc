/** Measures the time from the start of a server's process to its first answer, and its memory then, on this Node and on a newer one. */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findModernNode } from '../../../scripts/modern-node.ts';
import { type Lab, startTarget, takeTurns } from '../lab.ts';
import type { Goal, Series } from '../metrics.ts';
import { readResidentBytes } from '../process-stat.ts';
import { OURS, type Target } from '../targets.ts';

/** How long the start may settle before memory is read. Milliseconds. */
const SETTLE_MS = 700;

const run = promisify(execFile);

/** The newer Node, which the image uses: it can keep compiled code. */
const NEWER = 24;

/** The goal on that Node, from the start to the first answer. Milliseconds. */
export const START_GOALS: readonly Goal[] = [{ of: `${OURS.name}, Node ${NEWER}`, atMost: 180 }];

/** The program that the build runs to keep compiled code for its own Node, and the image for the image's. */
const COMPILE_AHEAD = fileURLToPath(new URL('../../../scripts/compile-ahead.js', import.meta.url));

/** Starts every server once per round, and measures it. */
export async function measureStart(lab: Lab): Promise<Series[]> {
  const targets = lab.targets.filter(({ env }) => env['LOG_LEVEL'] !== 'warn');
  const node = await findModernNode(NEWER);
  const newer = node === process.execPath ? [] : onNode(node, targets);
  await run(node, [COMPILE_AHEAD]);
  return takeTurns(lab, [...targets, ...newer], async (target) => {
    const server = await startTarget(lab, target, { isStartMeasured: true });
    try {
      await sleep(SETTLE_MS);
      return { startMs: server.startMs, residentMib: readResidentBytes(server.pid) / 1024 ** 2 };
    } finally {
      await server.stop();
    }
  });
}

/** All targets on the other Node. */
function onNode(node: string, targets: readonly Target[]): Target[] {
  return targets.map((target) => ({
    ...target,
    name: `${target.name}, Node ${NEWER}`,
    kind: 'variant',
    node,
  }));
}

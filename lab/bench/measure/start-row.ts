/** From the start of a server's process to its first answer, and the memory it then has, on this Node and on a newer one. */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findModernNode } from '../../../scripts/modern-node.ts';
import { type Lab, startTarget, takeTurns } from '../lab.ts';
import type { Series } from '../metrics.ts';
import { readResidentBytes } from '../process-stat.ts';
import type { Target } from '../targets.ts';

/** Memory is read when the start has settled. */
const SETTLE_MS = 700;

const run = promisify(execFile);

/** What the build does for the Node that it runs on, and the image for its own. */
const COMPILE_AHEAD = fileURLToPath(new URL('../../../scripts/compile-ahead.js', import.meta.url));

/** Starts every server once per round. */
export async function measureStart(lab: Lab): Promise<Series[]> {
  const targets = lab.targets.filter(({ env }) => env['LOG_LEVEL'] !== 'warn');
  const node = await findModernNode();
  const newer = node === process.execPath ? [] : await onNode(node, targets);
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

/** This server and the floor on another Node. */
async function onNode(node: string, targets: readonly Target[]): Promise<Target[]> {
  const { stdout } = await run(node, ['--version']);
  const rename = (target: Target): Target => {
    const name = `${target.name}, Node ${stdout.trim().slice(1)}`;
    return { ...target, name, node };
  };
  return targets.filter(({ kind }) => kind !== 'peer').map(rename);
}

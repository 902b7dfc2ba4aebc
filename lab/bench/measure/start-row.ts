/** From the start of a server's process to its first answer, and the memory it then has. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Lab, startTarget, takeTurns } from '../lab.ts';
import type { Series } from '../metrics.ts';
import { readResidentBytes } from '../process-stat.ts';

/** Memory is read when the start has settled. */
const SETTLE_MS = 700;

/** Starts every server once per round. */
export function measureStart(lab: Lab): Promise<Series[]> {
  const targets = lab.targets.filter(({ env }) => env['LOG_LEVEL'] !== 'info');
  return takeTurns(lab, targets, async (target) => {
    const server = await startTarget(lab, target, { isStartMeasured: true });
    try {
      await sleep(SETTLE_MS);
      return { startMs: server.startMs, residentMib: readResidentBytes(server.pid) / 1024 ** 2 };
    } finally {
      await server.stop();
    }
  });
}

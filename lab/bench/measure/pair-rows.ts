/** Rows that compare two settings of this server, under calls over each transport: what its log costs, for example. */
import { type Lab, startTarget } from '../lab.ts';
import type { Transport } from '../load/job.ts';
import type { Series } from '../metrics.ts';
import type { Row } from '../rows.ts';
import { OURS, OURS_SILENT, type Target } from '../targets.ts';
import { ONE_TOKEN } from '../tokens.ts';
import { measureSideBySide, type Side } from './side-by-side.ts';

export const TRANSPORTS = ['streamable', 'stateless', 'sse'] as const satisfies readonly Transport[];
export const CLIENTS = 32;

/** Calls over each transport with a log line for each, as by default, and without. */
export const LOG_ROW: Row = {
  name: 'log',
  title: `tools/call with its line in the log, and without, ${CLIENTS} clients`,
  metric: 'cpuMicros',
  goals: TRANSPORTS.map((transport) => ({
    of: nameOf(transport, OURS),
    above: nameOf(transport, OURS_SILENT),
    atMost: 5,
  })),
  measure: (lab) => measureCalls(lab, [OURS, OURS_SILENT]),
};

/** Measures the same calls to each of the servers, side by side. */
export async function measureCalls(lab: Lab, targets: readonly Target[]): Promise<Series[]> {
  const groups = TRANSPORTS.map((transport) =>
    targets.map((target): Side => ({
      name: nameOf(transport, target),
      kind: 'variant',
      async open() {
        const { port, pid, stop } = await startTarget(lab, target);
        return { load: { server: { port, pid }, ...callsOver(transport) }, close: stop };
      },
    })),
  );
  return measureSideBySide(lab, groups);
}

/** Calls over a transport, by the number of clients that all these rows have. */
export function callsOver(transport: Transport) {
  return { workload: { kind: 'call', transport }, clients: CLIENTS, tokens: ONE_TOKEN } as const;
}

/** The name of a target in these rows. */
export function nameOf(transport: Transport, { name }: Target): string {
  return `${transport}, ${name}`;
}

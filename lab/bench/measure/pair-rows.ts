/** Rows of this server beside itself, under the same calls over each transport: what its log costs, and whatever else two servers differ in. */
import { type Contestant, figuresOf, type Lab, startTarget, takeTurns } from '../lab.ts';
import type { Transport } from '../load/job.ts';
import type { Series } from '../metrics.ts';
import type { Row } from '../rows.ts';
import { OURS, OURS_SILENT, type Target } from '../targets.ts';
import { ONE_TOKEN } from '../tokens.ts';

export const TRANSPORTS = ['streamable', 'stateless', 'sse'] as const satisfies readonly Transport[];
export const CLIENTS = 32;

/** Calls over each transport with a line in the log for each, as by default, and without. */
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

/** A server that takes its turn. */
interface PairContestant extends Contestant {
  readonly target: Target;
  readonly transport: Transport;
}

/** The same calls to each of the servers. */
export async function measureCalls(lab: Lab, targets: readonly Target[]): Promise<Series[]> {
  const contestants = TRANSPORTS.flatMap((transport) =>
    targets.map((target): PairContestant => ({
      name: nameOf(transport, target),
      kind: 'variant',
      target,
      transport,
    })),
  );
  return takeTurns(lab, contestants, async ({ target, transport }) => {
    const server = await startTarget(lab, target);
    try {
      const result = await lab.generator.load({
        server: { port: server.port, pid: server.pid },
        ...callsOver(lab, transport),
      });
      return figuresOf(result);
    } finally {
      await server.stop();
    }
  });
}

/** Calls over a transport, by as many clients for as long as all these rows have them. */
export function callsOver({ settings: { warmUpMs, durationMs } }: Lab, transport: Transport) {
  return {
    workload: { kind: 'call', transport },
    clients: CLIENTS,
    tokens: ONE_TOKEN,
    warmUpMs,
    durationMs,
  } as const;
}

/** A target's name in these rows. */
export function nameOf(transport: Transport, { name }: Target): string {
  return `${transport}, ${name}`;
}

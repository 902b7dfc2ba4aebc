/** The row of what features cost calls and sessions that need none of them: the same server with the worked application's, and without. */
import { fileURLToPath } from 'node:url';
import { type Contestant, figuresOf, type Lab, startTarget, takeTurns } from '../lab.ts';
import type { Transport } from '../load/job.ts';
import type { Series } from '../metrics.ts';
import type { Row } from '../rows.ts';
import { OURS, type Target } from '../targets.ts';
import { ONE_TOKEN } from '../tokens.ts';
import { measureIdle } from './idle-row.ts';

const WITH: Target = {
  ...OURS,
  name: 'with features',
  script: fileURLToPath(new URL('../../fixture/with-example.js', import.meta.url)),
};
const WITHOUT: Target = { ...OURS, name: 'without' };

const TRANSPORTS = ['streamable', 'stateless', 'sse'] as const satisfies readonly Transport[];
const CLIENTS = 32;

/** Calls over each transport, then idle sessions. */
export const FEATURES_ROW: Row = {
  name: 'features',
  title: `tools/call and idle sessions with the worked application's features beside, ${CLIENTS} clients`,
  metric: 'cpuMicros',
  measure: async (lab) => [...(await measureCalls(lab)), ...(await measureSessions(lab))],
};

/** A server that takes its turn. */
interface FeatureContestant extends Contestant {
  readonly target: Target;
  readonly transport: Transport;
}

/** The same calls, with and without. */
async function measureCalls(lab: Lab): Promise<Series[]> {
  const contestants = TRANSPORTS.flatMap((transport) =>
    [WITHOUT, WITH].map((target): FeatureContestant => ({
      name: `${transport}, ${target.name}`,
      kind: 'variant',
      target,
      transport,
    })),
  );
  const { settings, generator } = lab;
  return takeTurns(lab, contestants, async ({ target, transport }) => {
    const server = await startTarget(lab, target);
    try {
      const result = await generator.load({
        server: { port: server.port, pid: server.pid },
        workload: { kind: 'call', transport },
        clients: CLIENTS,
        tokens: ONE_TOKEN,
        warmUpMs: settings.warmUpMs,
        durationMs: settings.durationMs,
      });
      return figuresOf(result);
    } finally {
      await server.stop();
    }
  });
}

/** The same idle sessions, with and without. */
async function measureSessions(lab: Lab): Promise<Series[]> {
  const series: Series[] = [];
  for (const target of [WITHOUT, WITH]) {
    lab.progress(`${lab.settings.idleSessions} sessions: ${target.name}`);
    series.push({
      server: `idle, ${target.name}`,
      kind: 'variant',
      rounds: [await measureIdle(lab, target)],
    });
  }
  return series;
}

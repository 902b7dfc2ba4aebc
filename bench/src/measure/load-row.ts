/** The rows that put one kind of load on every server that can take it. */
import { allStarted, type Contestant, figuresOf, type Lab, startTarget, takeTurns } from '../lab.ts';
import type { Transport, Workload } from '../load/job.ts';
import type { MetricName, Series } from '../metrics.ts';
import type { Target } from '../targets.ts';
import { ONE_TOKEN } from '../tokens.ts';

/** A load. */
export interface LoadRow {
  readonly workload: Workload;
  readonly clients: number;
  readonly perSecond?: number;
  /** Whether our server is measured a second time, with its log. */
  readonly withLog?: boolean;
}

/** The figure that a load row is about. */
export function metricOf({ perSecond }: LoadRow): MetricName {
  return perSecond === undefined ? 'cpuMicros' : 'p99Ms';
}

/** Measures the servers. */
export async function measureLoad(lab: Lab, row: LoadRow): Promise<Series[]> {
  const { settings, generator } = lab;
  const targets = lab.targets.filter((target) => canTake(target, row));
  lab.progress('starting servers');
  const servers = await allStarted(targets.map((target) => startTarget(lab, target)));
  const contestants: Contestant[] = servers.map((server, index) => ({
    name: targets[index]?.name ?? '',
    kind: targets[index]?.kind ?? 'peer',
    server,
  }));
  const loadOf = ({ server }: Contestant) => ({
    server: { port: server.port, pid: server.pid },
    workload: row.workload,
    clients: row.clients,
    tokens: ONE_TOKEN,
  });
  try {
    for (const contestant of contestants) {
      lab.progress(`warming up: ${contestant.name}`);
      await generator.load({ ...loadOf(contestant), warmUpMs: settings.warmUpMs, durationMs: 1 });
    }
    const durationMs = row.perSecond === undefined ? settings.durationMs : settings.pacedMs;
    const pace = row.perSecond === undefined ? {} : { perSecond: row.perSecond };
    return await takeTurns(lab, contestants, async (contestant) => {
      const job = { ...loadOf(contestant), ...pace, warmUpMs: settings.settleMs, durationMs };
      try {
        return figuresOf(await generator.load(job));
      } catch (cause) {
        throw new Error(`${contestant.name}: ${String(cause)}`, { cause });
      }
    });
  } finally {
    await Promise.all(contestants.map(({ server }) => server.stop()));
  }
}

/** Whether a server has what the load asks for. */
function canTake({ kind, transports, env }: Target, { workload, withLog = false }: LoadRow): boolean {
  if (env['LOG_LEVEL'] === 'info' && !withLog) return false;
  if (workload.kind === 'tools') return kind !== 'peer';
  return transports.includes(workload.transport satisfies Transport);
}

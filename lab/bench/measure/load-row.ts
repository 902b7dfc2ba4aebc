/** The rows that put one kind of load on every server that supports it. */
import { type Contestant, figuresOf, type Lab, startTarget, takeTurns } from '../lab.ts';
import type { Transport, Workload } from '../load/job.ts';
import type { MetricName, Series } from '../metrics.ts';
import type { Target } from '../targets.ts';
import { ONE_TOKEN } from '../tokens.ts';

/** The load of a row. */
export interface LoadRow {
  readonly workload: Workload;
  readonly clients: number;
  readonly perSecond?: number;
  /** Whether this server is also measured without its log. */
  readonly withSilent?: boolean;
}

/** The figure by which a load row is compared. */
export function metricOf({ perSecond }: LoadRow): MetricName {
  return perSecond === undefined ? 'cpuMicros' : 'p99Ms';
}

/** A server that takes its turn in a row. */
interface LoadContestant extends Contestant {
  readonly target: Target;
}

/** Measures the servers. */
export async function measureLoad(lab: Lab, row: LoadRow): Promise<Series[]> {
  const { settings, generator } = lab;
  const contestants: LoadContestant[] = lab.targets
    .filter((target) => canTake(target, row))
    .map((target) => ({ name: target.name, kind: target.kind, target }));
  const durationMs = row.perSecond === undefined ? settings.durationMs : settings.pacedMs;
  const pace = row.perSecond === undefined ? {} : { perSecond: row.perSecond };
  return takeTurns(lab, contestants, async ({ name, target }) => {
    const server = await startTarget(lab, target);
    try {
      const result = await generator.load({
        server: { port: server.port, pid: server.pid },
        workload: row.workload,
        clients: row.clients,
        tokens: ONE_TOKEN,
        warmUpMs: settings.warmUpMs,
        durationMs,
        ...pace,
      });
      // p99 depends on the number of calls, so it is part of the figures.
      return { ...figuresOf(result), ...(row.perSecond !== undefined && { calls: result.calls }) };
    } catch (cause) {
      throw new Error(`${name}: ${String(cause)}`, { cause });
    } finally {
      await server.stop();
    }
  });
}

/** Whether a server supports what the load needs. */
function canTake(
  { kind, transports, env, listsTools = false }: Target,
  { workload, withSilent = false }: LoadRow,
): boolean {
  if (env['LOG_LEVEL'] === 'warn' && !withSilent) return false;
  if (workload.kind === 'tools') return kind !== 'peer' || listsTools;
  return transports.includes(workload.transport satisfies Transport);
}

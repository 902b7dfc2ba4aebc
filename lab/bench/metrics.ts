/** The figures that are measured, and how they are shown. */

/** A figure's name, with its unit, and its number of decimals. */
interface Metric {
  readonly label: string;
  readonly digits: number;
  /** Whether a higher value is better. */
  readonly isGain?: boolean;
}

export const METRICS = {
  cpuMicros: { label: 'CPU µs/call', digits: 1 },
  perSecond: { label: 'calls/s', digits: 0, isGain: true },
  p50Ms: { label: 'p50 ms', digits: 2 },
  p99Ms: { label: 'p99 ms', digits: 2 },
  calls: { label: 'calls a round', digits: 0 },
  worstMs: { label: 'worst ms', digits: 1 },
  scrapeMs: { label: 'ms a scrape', digits: 1 },
  heapKib: { label: 'heap KiB/session', digits: 2 },
  residentKib: { label: 'resident KiB/session', digits: 1 },
  idleCpuPercent: { label: 'idle CPU %', digits: 2 },
  commandMs: { label: 'ms to the end', digits: 0 },
  commandCpuMs: { label: 'CPU ms', digits: 0 },
  startMs: { label: 'ms to the first answer', digits: 0 },
  residentMib: { label: 'resident MiB', digits: 1 },
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof METRICS;

/** The figures of one round. */
export type Figures = Readonly<Partial<Record<MetricName, number>>>;

/** The rounds of one server. */
export interface Series {
  readonly server: string;
  readonly kind: 'ours' | 'floor' | 'peer' | 'variant';
  readonly rounds: readonly Figures[];
}

/** The goal of a row: a limit for a figure of one server, or for how it compares with another's, round by round. */
export interface Goal {
  readonly of: string;
  /** The server by whose figure the first one is divided. */
  readonly to?: string;
  /** The server whose figure is subtracted from the first one. */
  readonly above?: string;
  readonly times?: number;
  readonly atMost?: number;
  readonly atLeast?: number;
  /** Whether the ranges of both servers' rounds must not overlap: then the difference is not by chance. */
  readonly isApart?: true;
}

/** The facts about a row before it is measured. */
export interface RowHead {
  /** The name that `--only` takes. */
  readonly name: string;
  readonly title: string;
  /** The figure by which servers are compared; less is better. */
  readonly metric: MetricName;
  readonly goals?: readonly Goal[];
}

/** The facts and the figures of a row. */
export interface RowResult extends RowHead {
  readonly series: readonly Series[];
}

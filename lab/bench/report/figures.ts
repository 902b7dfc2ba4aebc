/** From rounds to what a reader compares: medians, spreads, and this server against the others. */
import { type Goal, type MetricName, METRICS, type RowResult, type Series } from '../metrics.ts';
import { type Summary, summarize } from '../statistics.ts';

/** The metrics that a row has figures of, the one it is about first. */
export function metricsOf({ metric, series }: RowResult): MetricName[] {
  const present = new Set(series.flatMap(({ rounds }) => rounds.flatMap(namesIn)));
  return [...new Set([metric, ...namesIn(METRICS)])].filter((name) => present.has(name));
}

/** The rounds of one figure in short; undefined when a server has none. */
export function summaryOf({ rounds }: Series, metric: MetricName): Summary | undefined {
  const values = rounds.flatMap((figures) => figures[metric] ?? []);
  return values.length === 0 ? undefined : summarize(values);
}

/** A figure as it is written. */
export function format(metric: MetricName, value: number): string {
  const { digits } = METRICS[metric];
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** A median with the range of its rounds. */
export function formatSummary(metric: MetricName, { median, min, max }: Summary): string {
  const middle = format(metric, median);
  return min === max ? middle : `${middle} (${format(metric, min)}–${format(metric, max)})`;
}

/** This server against the others, by a row's own figure. */
export interface Comparison {
  readonly ours: Summary;
  readonly bestPeer:
    { readonly server: string; readonly summary: Summary; readonly factor: number } | undefined;
  readonly floor: { readonly summary: Summary; readonly factor: number } | undefined;
}

/** Compares; undefined where this server stands alone. A factor above 1 says that this server is that many times better. */
export function compare({ metric, series }: RowResult): Comparison | undefined {
  const of = (one: Series | undefined): Summary | undefined => one && summaryOf(one, metric);
  const ours = of(series.find(({ kind }) => kind === 'ours'));
  if (ours === undefined) return undefined;
  const floor = of(series.find(({ kind }) => kind === 'floor'));
  const peers = series
    .filter(({ kind }) => kind === 'peer')
    .flatMap((one) => {
      const summary = of(one);
      return summary === undefined
        ? []
        : [{ server: one.server, summary, factor: summary.median / ours.median }];
    })
    .toSorted((a, b) => a.factor - b.factor);
  return {
    ours,
    bestPeer: peers[0],
    floor: floor && { summary: floor, factor: floor.median / ours.median },
  };
}

/** In a goal: whichever peer is the best. */
export const BEST_PEER = 'best peer';

/** What of a goal has been reached; undefined where a server of it was not measured. */
export function valueOf(row: RowResult, { of, to, above, times = 1 }: Goal): number | undefined {
  const these = valuesIn(row, of);
  const those = valuesIn(row, to ?? above ?? of);
  // Two of one round were measured one after the other: what else the machine did then hits both.
  const values = these.slice(0, those.length).map((value, round) => {
    const other = those[round] ?? NaN;
    if (to !== undefined) return value / other;
    return above === undefined ? value : value - other;
  });
  return values.length === 0 ? undefined : times * summarize(values).median;
}

/** The ranges of the two servers that a goal compares: whether they lie apart, and what they are of. */
export interface Ranges {
  readonly areApart: boolean;
  readonly rounds: number;
  /** How many calls a round had; undefined where that is not told. */
  readonly calls: number | undefined;
}

/** Compares the ranges of a goal's two servers. */
export function rangesOf(row: RowResult, { of, to = of }: Goal): Ranges {
  const [these, those] = [valuesIn(row, of), valuesIn(row, to)];
  const [one, other] = [summarize(these), summarize(those)];
  const calls = valuesIn(row, to, 'calls');
  return {
    areApart: one.min > other.max || one.max < other.min,
    rounds: Math.min(these.length, those.length),
    calls: calls.length === 0 ? undefined : summarize(calls).median,
  };
}

/** The rounds of a figure of one server, or of whichever peer is the best. */
function valuesIn(row: RowResult, name: string, metric = row.metric): readonly number[] {
  const server = name === BEST_PEER ? compare(row)?.bestPeer?.server : name;
  const found = row.series.find((one) => one.server === server);
  return found?.rounds.flatMap((figures) => figures[metric] ?? []) ?? [];
}

/** The metric names among an object's own. */
function namesIn(object: Readonly<Partial<Record<MetricName, unknown>>>): MetricName[] {
  // oxlint-disable-next-line no-unsafe-type-assertion -- Object.keys is typed wider than the object
  return Object.keys(object) as MetricName[];
}

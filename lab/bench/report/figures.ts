/** Turns rounds into what a reader compares: medians, ranges, and this server against the others. */
import { type Goal, type MetricName, METRICS, type RowResult, type Series } from '../metrics.ts';
import { type Summary, summarize } from '../statistics.ts';

/** The metrics of which a row has figures, its own metric first. */
export function metricsOf({ metric, series }: RowResult): MetricName[] {
  const present = new Set(series.flatMap(({ rounds }) => rounds.flatMap(namesIn)));
  return [...new Set([metric, ...namesIn(METRICS)])].filter((name) => present.has(name));
}

/** Summarizes the rounds of one figure; undefined when a server has none. */
export function summaryOf({ rounds }: Series, metric: MetricName): Summary | undefined {
  const values = rounds.flatMap((figures) => figures[metric] ?? []);
  return values.length === 0 ? undefined : summarize(values);
}

/** Formats a figure. */
export function format(metric: MetricName, value: number): string {
  const { digits } = METRICS[metric];
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Formats a median, with the range of its rounds. */
export function formatSummary(metric: MetricName, { median, min, max }: Summary): string {
  const middle = format(metric, median);
  return min === max ? middle : `${middle} (${format(metric, min)}–${format(metric, max)})`;
}

/** This server compared with the others, by the row's own figure. */
export interface Comparison {
  readonly ours: Summary;
  readonly bestPeer:
    { readonly server: string; readonly summary: Summary; readonly factor: number } | undefined;
  readonly floor: { readonly summary: Summary; readonly factor: number } | undefined;
}

/** Compares; undefined when this server has no figures. A factor says how many times better this server is. */
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

/** In a goal, stands for the best peer. */
export const BEST_PEER = 'best peer';

/** The value that a goal limits; undefined when a server of it was not measured. */
export function valueOf(row: RowResult, { of, to, above, times = 1 }: Goal): number | undefined {
  const these = valuesIn(row, of);
  const those = valuesIn(row, to ?? above ?? of);
  // The values of one round were measured shortly after each other, so what else the machine did then affects both.
  const values = these.slice(0, those.length).map((value, round) => {
    const other = those[round] ?? NaN;
    if (to !== undefined) return value / other;
    return above === undefined ? value : value - other;
  });
  return values.length === 0 ? undefined : times * summarize(values).median;
}

/** How the ranges of a goal's two servers compare, and from how many rounds and calls they are. */
export interface Ranges {
  readonly areApart: boolean;
  readonly rounds: number;
  /** The number of calls in a round; undefined when it is not known. */
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

/** The figures of one server, or of the best peer, for each round. */
function valuesIn(row: RowResult, name: string, metric = row.metric): readonly number[] {
  const server = name === BEST_PEER ? compare(row)?.bestPeer?.server : name;
  const found = row.series.find((one) => one.server === server);
  return found?.rounds.flatMap((figures) => figures[metric] ?? []) ?? [];
}

/** The names of metrics that an object has. */
function namesIn(object: Readonly<Partial<Record<MetricName, unknown>>>): MetricName[] {
  // oxlint-disable-next-line no-unsafe-type-assertion -- Object.keys is typed wider than the object
  return Object.keys(object) as MetricName[];
}

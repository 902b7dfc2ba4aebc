/** Decides whether a server grows: compares measurements taken in quiet, when nothing is connected and garbage has been collected. */

/** A measurement in quiet. */
export interface QuietPoint {
  /** The size of live objects after a garbage collection. Megabytes. */
  readonly heapMb: number;
  /** Resident memory in megabytes; undefined where there is no /proc. */
  readonly rssMb: number | undefined;
  /** Open file descriptors; undefined where there is no /proc. */
  readonly handles: number | undefined;
}

/** How much a value may grow over all rounds. Resident memory may grow more, since V8 and the allocator keep freed memory. */
const ALLOWED_GROWTH = { heapMb: 4, rssMb: 48, handles: 2 } as const;

/** Describes what has grown. The first measurement is the warm-up, and does not count. */
export function findGrowth(points: readonly QuietPoint[]): string[] {
  const counted = points.slice(1);
  return (['heapMb', 'rssMb', 'handles'] as const).flatMap((name) => {
    const values = counted.map((point) => point[name]).filter((value) => value !== undefined);
    const grown = slopeOf(values) * (values.length - 1);
    const shown = values.map((value) => Math.round(value * 10) / 10).join(' → ');
    return grown > ALLOWED_GROWTH[name] ? [`${name} grows by ${grown.toFixed(1)}: ${shown}`] : [];
  });
}

/** The slope of the straight line that fits the values best (least squares), per value. */
function slopeOf(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  let [covariance, variance] = [0, 0];
  for (const [index, value] of values.entries()) {
    covariance += (index - middle) * (value - mean);
    variance += (index - middle) ** 2;
  }
  return covariance / variance;
}

/** Preloaded into the server (`node --expose-gc --import`): on SIGUSR2, collects garbage and writes the remaining heap to stdout. */

/** A report of the server's memory, in megabytes. */
export interface HeapReport {
  readonly heapMb: number;
}

process.on('SIGUSR2', () => {
  // Twice, since what a finalizer releases is freed only by the next collection.
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed } = process.memoryUsage();
  const report: HeapReport = { heapMb: heapUsed / 2 ** 20 };
  process.stdout.write(`${JSON.stringify(report)}\n`);
});

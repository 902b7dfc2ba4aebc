/** Preloaded into the server (`node --expose-gc --import`): on SIGUSR2 collects garbage and writes what is left to stdout. */

/** What the server tells of itself. */
export interface HeapReport {
  readonly heapMb: number;
  readonly externalMb: number;
}

process.on('SIGUSR2', () => {
  // Twice: what a finalizer lets go of is free after the second time only.
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  const report: HeapReport = { heapMb: heapUsed / 2 ** 20, externalMb: external / 2 ** 20 };
  process.stdout.write(`${JSON.stringify(report)}\n`);
});

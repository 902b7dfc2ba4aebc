/** Preloaded into a measured server: answers its parent's question for the used heap, after a garbage collection. */

/** The answer of the server's process. */
export interface HeapAnswer {
  readonly heapBytes: number;
}

process.on('message', () => {
  // Twice, since what finalizers release is freed only by the next collection.
  globalThis.gc?.();
  setImmediate(() => {
    globalThis.gc?.();
    const heap: HeapAnswer = { heapBytes: process.memoryUsage().heapUsed };
    process.send?.(heap);
  });
});
// The channel must not keep the process running.
process.channel?.unref();

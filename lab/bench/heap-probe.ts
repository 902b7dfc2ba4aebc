/** Loaded into a measured server beside its own code: answers its parent's question for the heap in use after a collection. */

/** What the server's process answers. */
export interface HeapAnswer {
  readonly heapBytes: number;
}

process.on('message', () => {
  // Twice: what finalizers let go of in the first is collected in the second.
  globalThis.gc?.();
  setImmediate(() => {
    globalThis.gc?.();
    const heap: HeapAnswer = { heapBytes: process.memoryUsage().heapUsed };
    process.send?.(heap);
  });
});
// The question must not keep a server alive that wants to end.
process.channel?.unref();

/** The latencies of the calls that end within a measurement's window. */
export class Recorder {
  /** Milliseconds, in the order the calls ended. */
  readonly latenciesMs: number[] = [];
  /** Whether the window is open. */
  counting = false;
  /** Whether clients are to stop. */
  stopped = false;

  /** Notes a call that has ended. */
  record(startedMs: number, endedMs: number): void {
    if (this.counting) this.latenciesMs.push(endedMs - startedMs);
  }
}

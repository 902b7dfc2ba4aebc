/** Records the latencies of the calls that end within the measured window. */
export class Recorder {
  /** In milliseconds, in the order in which the calls ended. */
  readonly latenciesMs: number[] = [];
  /** Whether the window is open. */
  counting = false;
  /** Whether the clients must stop. */
  stopped = false;

  /** Records a call that has ended, if the window is open. */
  record(startedMs: number, endedMs: number): void {
    if (this.counting) this.latenciesMs.push(endedMs - startedMs);
  }
}

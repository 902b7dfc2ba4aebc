/** What has happened to the processes and to their Redis, and when: it tells a promise that was broken from one that nobody could keep. */

/** What happens. */
export type Event =
  'an instance is killed' | 'Redis is killed' | 'Redis starts' | 'Redis hangs' | 'Redis goes on';

/** A stretch of time, by a clock that nobody sets. Milliseconds. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** For so long after it something may still be felt: leases end, others are missed. Milliseconds. */
const AFTERMATH_MS = 15_000;

/** A process that is busy says after so long what it has done. Milliseconds. */
const RECEIPT_MS = 500;

/** So much of it is told. Milliseconds. */
const TOLD_MS = 10_000;

/** Keeps it. */
export class Chronicle {
  readonly #now: () => number;
  readonly #startMs: number;
  readonly #entries: { readonly atMs: number; readonly event: Event }[] = [];

  constructor(now = () => performance.now()) {
    this.#now = now;
    this.#startMs = now();
  }

  /** Notes what is about to happen. */
  note(event: Event): void {
    this.#entries.push({ atMs: this.#now(), event });
  }

  /** Whether anything has happened since a moment, or so shortly before it that it may still be felt. */
  hadTrouble(sinceMs: number): boolean {
    const { atMs = -Infinity } = this.#entries.at(-1) ?? {};
    return atMs > sinceMs - AFTERMATH_MS;
  }

  /** Whether Redis has ended, or begun to hang, within a span. */
  didRedisFail({ fromMs, toMs }: Span): boolean {
    return this.#entries.some(
      ({ atMs, event }) =>
        (event === 'Redis is killed' || event === 'Redis hangs') && atMs >= fromMs && atMs <= toMs,
    );
  }

  /** Whether an instance was killed so soon after a moment that it may have done what was sent to it then, and not said so. */
  didReceiverEnd(sentMs: number): boolean {
    return this.#entries.some(
      ({ atMs, event }) => event === 'an instance is killed' && atMs >= sentMs && atMs <= sentMs + RECEIPT_MS,
    );
  }

  /** A moment as seconds since the beginning. */
  timeOf(atMs: number): string {
    return `${((atMs - this.#startMs) / 1000).toFixed(3)} s`;
  }

  /** The last that has happened, in words. */
  tell(): string {
    const sinceMs = this.#now() - TOLD_MS;
    const told = this.#entries.filter(({ atMs }) => atMs >= sinceMs);
    return told.map(({ atMs, event }) => `${this.timeOf(atMs)} ${event}`).join(', ');
  }
}

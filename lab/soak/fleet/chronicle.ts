/** Records what has happened to the processes and to their Redis, and when. It tells a broken promise from one that could not be kept. */

/** The kinds of events. */
export type Event =
  'an instance is killed' | 'Redis is killed' | 'Redis starts' | 'Redis hangs' | 'Redis goes on';

/** A span of time, by a monotonic clock. Milliseconds. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** How long after an event its effects may still be seen: leases run out, and processes are missed. Milliseconds. */
const AFTERMATH_MS = 15_000;

/** How long a busy process may take to report what it has done. Milliseconds. */
const RECEIPT_MS = 500;

/** How far back the events are listed in messages. Milliseconds. */
const TOLD_MS = 10_000;

/** A record of events. */
export class Chronicle {
  readonly #now: () => number;
  readonly #startMs: number;
  readonly #entries: { readonly atMs: number; readonly event: Event }[] = [];

  constructor(now = () => performance.now()) {
    this.#now = now;
    this.#startMs = now();
  }

  /** Records an event that is about to happen. */
  note(event: Event): void {
    this.#entries.push({ atMs: this.#now(), event });
  }

  /** Whether anything has happened since a moment, or shortly enough before it that its effects may still be seen. */
  hadTrouble(sinceMs: number): boolean {
    const { atMs = -Infinity } = this.#entries.at(-1) ?? {};
    return atMs > sinceMs - AFTERMATH_MS;
  }

  /** Whether Redis was killed, or began to hang, within a span. */
  didRedisFail({ fromMs, toMs }: Span): boolean {
    return this.#entries.some(
      ({ atMs, event }) =>
        (event === 'Redis is killed' || event === 'Redis hangs') && atMs >= fromMs && atMs <= toMs,
    );
  }

  /** Whether an instance was killed so soon after a moment that it may have carried out what was sent to it then, without saying so. */
  didReceiverEnd(sentMs: number): boolean {
    return this.#entries.some(
      ({ atMs, event }) => event === 'an instance is killed' && atMs >= sentMs && atMs <= sentMs + RECEIPT_MS,
    );
  }

  /** A moment as seconds since the beginning. */
  timeOf(atMs: number): string {
    return `${((atMs - this.#startMs) / 1000).toFixed(3)} s`;
  }

  /** The latest events, in words. */
  tell(): string {
    const sinceMs = this.#now() - TOLD_MS;
    const told = this.#entries.filter(({ atMs }) => atMs >= sinceMs);
    return told.map(({ atMs, event }) => `${this.timeOf(atMs)} ${event}`).join(', ');
  }
}

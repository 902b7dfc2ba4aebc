/**
 * Limits how many tool calls a user may make a minute, over all sessions and transports. It keeps two moments for each user who has called
 * lately: when the calls that were admitted will be worked off, and when all calls that arrived will be.
 */
import type { Grant } from '../auth/verifier.ts';

/** What the limits depend on. */
export interface CallLimitOptions {
  /** The limit of users whose token has none of its own; 0: no limit. */
  readonly perMinute: number;
  /** A monotonic clock. Milliseconds. */
  readonly now?: () => number;
}

/** When a user's calls are worked off: moments of the clock. Past ones mean that nothing is owed. */
interface Taken {
  workedOffMs: number;
  arrivalsWorkedOffMs: number;
}

/** The user of a call, with the limit of the token. */
export type LimitedCaller = Pick<Grant, 'user' | 'limit'>;

const MINUTE_MS = 60_000;

/** The part of a minute's calls that may come at once. */
const BURST = 0.5;

/** At how many times the limit calls may arrive: a client beyond that is a program that does not read its answers. */
const RUNAWAY = 10;

/** How many users are remembered; beyond that the first of them is dropped. */
const MAX_USERS = 100_000;

/** How often users who have worked off their calls are looked for. */
const SWEEP_MS = 30_000;

/** The limit of all users. */
export class CallLimit {
  readonly #perMinute: number;
  readonly #now: () => number;
  readonly #taken = new Map<string, Taken>();
  #sweptAtMs = -Infinity;
  /** What users have taken since the last `collectSpent`; absent before the first. */
  #spent: Map<string, number> | undefined;
  /** The part of each limit that this process admits by itself, while it does not hear what others admit. From 0 to 1. */
  share = 1;

  constructor({ perMinute, now = () => performance.now() }: CallLimitOptions) {
    this.#perMinute = perMinute;
    this.#now = now;
  }

  /** The limit of a caller; 0: no limit. */
  perMinuteOf({ limit = this.#perMinute }: LimitedCaller): number {
    return limit;
  }

  /**
   * Admits a call that counts for `cost` and returns undefined, or else returns in how many milliseconds it would be admitted. A call that
   * costs more than a burst is admitted when nothing is owed.
   */
  take(caller: LimitedCaller, cost = 1): number | undefined {
    const perMinute = this.perMinuteOf(caller);
    if (perMinute === 0 || cost === 0) return undefined;
    const nowMs = this.#now();
    const { userId } = caller.user;
    const taken = this.#of(userId, nowMs);
    const { costMs, burstMs } = this.#measure(perMinute, cost);
    const owedMs = Math.max(0, taken.workedOffMs - nowMs);
    const waitMs = owedMs + Math.min(costMs, burstMs) - burstMs;
    if (waitMs > ROUNDING_MS) return waitMs;
    taken.workedOffMs = nowMs + owedMs + costMs;
    this.#spent?.set(userId, (this.#spent.get(userId) ?? 0) + costMs);
    return undefined;
  }

  /**
   * Counts calls as they arrive, before anything is known of them. If they are far more than are ever admitted, counts none of them and
   * returns in how many milliseconds the next one would be admitted; otherwise returns undefined.
   */
  arrive(caller: LimitedCaller, calls: number): number | undefined {
    const perMinute = this.perMinuteOf(caller);
    if (perMinute === 0 || calls === 0) return undefined;
    const nowMs = this.#now();
    const taken = this.#of(caller.user.userId, nowMs);
    const { costMs, burstMs } = this.#measure(perMinute * RUNAWAY, calls);
    const owedMs = Math.max(0, taken.arrivalsWorkedOffMs - nowMs);
    const waitMs = owedMs + Math.min(costMs, burstMs) - burstMs;
    if (waitMs > ROUNDING_MS) {
      const one = this.#measure(perMinute, 1);
      return Math.max(waitMs, taken.workedOffMs - nowMs + one.costMs - one.burstMs);
    }
    taken.arrivalsWorkedOffMs = nowMs + owedMs + costMs;
    return undefined;
  }

  /** Returns what each user has taken since this was last called, for other processes. It is measured in milliseconds of the user's own limit. */
  collectSpent(): ReadonlyMap<string, number> {
    const spent = this.#spent;
    this.#spent = new Map();
    return spent ?? this.#spent;
  }

  /** Counts what a user has taken in another process. */
  noteSpent(userId: string, spentMs: number): void {
    const nowMs = this.#now();
    const taken = this.#of(userId, nowMs);
    taken.workedOffMs = Math.max(taken.workedOffMs, nowMs) + spentMs;
  }

  /** The cost of a number of calls, and the size of a burst, both as the time in which they are worked off. */
  #measure(perMinute: number, calls: number): { readonly costMs: number; readonly burstMs: number } {
    const eachMs = MINUTE_MS / perMinute / this.share;
    return {
      costMs: calls * eachMs,
      burstMs: Math.max(1, Math.floor(perMinute * BURST * this.share)) * eachMs,
    };
  }

  /** Finds what a user has taken, or begins with nothing. */
  #of(userId: string, nowMs: number): Taken {
    if (nowMs - this.#sweptAtMs >= SWEEP_MS) this.#sweep(nowMs);
    let taken = this.#taken.get(userId);
    if (taken !== undefined) return taken;
    for (const oldest of this.#taken.keys()) {
      if (this.#taken.size < MAX_USERS) break;
      this.#taken.delete(oldest);
    }
    taken = { workedOffMs: 0, arrivalsWorkedOffMs: 0 };
    this.#taken.set(userId, taken);
    return taken;
  }

  /** Drops users who owe nothing: their next call is that of a new user. */
  #sweep(nowMs: number): void {
    this.#sweptAtMs = nowMs;
    for (const [userId, { workedOffMs, arrivalsWorkedOffMs }] of this.#taken)
      if (workedOffMs <= nowMs && arrivalsWorkedOffMs <= nowMs) this.#taken.delete(userId);
  }

  /** How many users are remembered. */
  get size(): number {
    return this.#taken.size;
  }
}

/** The rounding error that sums of fractions may have, less than any wait that clients are told. */
const ROUNDING_MS = 0.001;

/** A wait in whole seconds, as clients are told it: at least 1. */
export function secondsOf(waitMs: number): number {
  return Math.max(1, Math.ceil(waitMs / 1000));
}

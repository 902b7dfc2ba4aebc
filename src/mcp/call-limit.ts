/**
 * How many tool calls a user may make a minute, over all sessions and transports. Two numbers for each user who has called lately: the
 * moments at which what the user has taken is worked off, of what was let in and of what came at all.
 */
import type { Grant } from '../auth/verifier.ts';

/** What the limit depends on. */
export interface CallLimitOptions {
  /** For users whose token says nothing else; 0: as many as come. */
  readonly perMinute: number;
  /** A clock that nobody sets. Milliseconds. */
  readonly now?: () => number;
}

/** What a user has taken. Moments of the clock; past ones mean nothing. */
interface Taken {
  workedOffMs: number;
  arrivalsWorkedOffMs: number;
}

/** Whose call it is. */
export type LimitedCaller = Pick<Grant, 'user' | 'limit'>;

const MINUTE_MS = 60_000;

/** So much of a minute's calls may come at once. */
const BURST = 0.5;

/** Whoever calls so many times as often as is let in is a program that does not read its answers. */
const RUNAWAY = 10;

/** So many users are known; beyond that, whoever was first is forgotten. */
const MAX_USERS = 100_000;

/** How often it is looked for users who have worked off what they took. */
const SWEEP_MS = 30_000;

/** The limit of all users. */
export class CallLimit {
  readonly #perMinute: number;
  readonly #now: () => number;
  readonly #taken = new Map<string, Taken>();
  #sweptAtMs = -Infinity;
  /** What has been taken since it was last asked for; absent until somebody asks. */
  #spent: Map<string, number> | undefined;
  /** The part of each number that this process lets in by itself, while it does not hear what others let in. From 0 to 1. */
  share = 1;

  constructor({ perMinute, now = () => performance.now() }: CallLimitOptions) {
    this.#perMinute = perMinute;
    this.#now = now;
  }

  /** The number that holds for a caller; 0: as many as come. */
  perMinuteOf({ limit = this.#perMinute }: LimitedCaller): number {
    return limit;
  }

  /**
   * Lets a call in that counts for `cost`, or says in how many milliseconds it would be: undefined when it is in. One that costs more
   * than may ever come at once is let in when nothing is owed.
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
   * Notes calls as they arrive, before anything is known of them. When they are far more than are ever let in, none of them is counted
   * and the answer is in how many milliseconds the next would be let in; else undefined.
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

  /** What each user has taken since this was last called, in milliseconds of the user's own limit: for other processes. */
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

  /** What a number of calls takes, and what may be taken at once: both as the time in which it is worked off. */
  #measure(perMinute: number, calls: number): { readonly costMs: number; readonly burstMs: number } {
    const eachMs = MINUTE_MS / perMinute / this.share;
    return {
      costMs: calls * eachMs,
      burstMs: Math.max(1, Math.floor(perMinute * BURST * this.share)) * eachMs,
    };
  }

  /** What is known of a user. */
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

  /** Forgets those who owe nothing: the next call finds them as it would anybody. */
  #sweep(nowMs: number): void {
    this.#sweptAtMs = nowMs;
    for (const [userId, { workedOffMs, arrivalsWorkedOffMs }] of this.#taken)
      if (workedOffMs <= nowMs && arrivalsWorkedOffMs <= nowMs) this.#taken.delete(userId);
  }

  /** How many users are known. */
  get size(): number {
    return this.#taken.size;
  }
}

/** What sums of fractions may be off by; less than any wait that could be told. */
const ROUNDING_MS = 0.001;

/** A wait in whole seconds, as it is told: never none. */
export function secondsOf(waitMs: number): number {
  return Math.max(1, Math.ceil(waitMs / 1000));
}

/** Counts of use: the last use of each token, and the calls of each user by day. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { CALL_ENDED, type CallEvent } from '../../mcp/call-records.ts';

/** How many days are counted, with today. */
export const DAYS = 30;

/** How many names of each kind are kept: at least so many, at most twice as many. An identity provider issues new tokens each hour. */
export const MAX_NAMES = 100_000;

/** A user's calls on one day. */
export interface DayCalls {
  readonly userId: string;
  /** UTC, as a number: days since 1970. */
  readonly day: number;
  readonly calls: number;
}

/** A token's last use. */
export interface LastUse {
  readonly tokenId: string;
  readonly atMs: number;
}

/** Counts of use, which can be added to other ones. */
export class UseCounts {
  readonly #lastUse = new Latest<number>();
  readonly #calls = new Latest<Map<number, number>>();

  get isEmpty(): boolean {
    return this.#calls.isEmpty && this.#lastUse.isEmpty;
  }

  /** Counts a call. */
  noteCall({ userId, tokenId }: Pick<CallEvent, 'userId' | 'tokenId'>, nowMs: number): void {
    if (tokenId !== undefined) this.addUse({ tokenId, atMs: nowMs });
    this.addCalls({ userId, day: dayOf(nowMs), calls: 1 });
  }

  addUse({ tokenId, atMs }: LastUse): void {
    this.#lastUse.put(tokenId, Math.max(atMs, this.#lastUse.get(tokenId) ?? atMs));
  }

  addCalls({ userId, day, calls }: DayCalls): void {
    const days = this.#calls.get(userId) ?? new Map<number, number>();
    this.#calls.put(userId, days);
    const known = days.get(day);
    days.set(day, (known ?? 0) + calls);
    if (known === undefined) for (const other of days.keys()) if (other <= day - DAYS) days.delete(other);
  }

  /** Adds all counts of another one. */
  addAll(others: UseCounts): void {
    for (const use of others.uses()) this.addUse(use);
    for (const calls of others.dayCalls()) this.addCalls(calls);
  }

  /** The last use of each token. */
  *uses(): Generator<LastUse> {
    for (const [tokenId, atMs] of this.#lastUse.all()) yield { tokenId, atMs };
  }

  /** The calls of each user on each day. */
  *dayCalls(): Generator<DayCalls> {
    for (const [userId, days] of this.#calls.all())
      for (const [day, calls] of days) yield { userId, day, calls };
  }

  lastUseOf(tokenId: string): number | undefined {
    return this.#lastUse.get(tokenId);
  }

  /** A user's calls on each of the last days, the latest last. */
  callsOf(userId: string, today: number): readonly number[] {
    const days = this.#calls.get(userId);
    return Array.from({ length: DAYS }, (_, index) => days?.get(today - DAYS + 1 + index) ?? 0);
  }
}

/** The latest values by name. When the newer half is full, the older half is dropped whole: deleting names one by one is expensive. */
class Latest<Value> {
  #newer = new Map<string, Value>();
  #older = new Map<string, Value>();

  get isEmpty(): boolean {
    return this.#newer.size === 0;
  }

  get(name: string): Value | undefined {
    return this.#newer.get(name) ?? this.#older.get(name);
  }

  put(name: string, value: Value): void {
    if (this.#newer.size >= MAX_NAMES && !this.#newer.has(name))
      [this.#older, this.#newer] = [this.#newer, new Map<string, Value>()];
    this.#newer.set(name, value);
  }

  /** All entries, each name once. */
  *all(): Generator<readonly [string, Value]> {
    yield* this.#newer;
    for (const entry of this.#older) if (!this.#newer.has(entry[0])) yield entry;
  }
}

/** Calls `onCall` for each call of this process; returns a function that ends that. */
export function followCalls(onCall: (event: CallEvent) => void): () => void {
  // oxlint-disable-next-line no-unsafe-type-assertion -- what that channel carries
  const hear = (message: unknown): void => onCall(message as CallEvent);
  subscribe(CALL_ENDED, hear);
  return () => void unsubscribe(CALL_ENDED, hear);
}

/** The day of a moment in UTC: days since 1970. */
export function dayOf(atMs: number): number {
  return Math.floor(atMs / 86_400_000);
}

/** Sums up the lines of the log: calls by user and tool, and refused logins by address and reason. */
import { LOGIN_CODES } from '../../src/http/refusal-event.ts';
import { GOOD_OUTCOMES } from '../../src/mcp/call-records.ts';
import { type LogLine, textOf, timeOf } from '../token/log-lines.ts';
import { Durations } from './durations.ts';

/** The calls that one user has made of one tool, prompt or resource. */
export interface UseOfTool {
  readonly userId: string;
  readonly tool: string;
  readonly calls: number;
  readonly errors: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly first: string;
  readonly last: string;
}

/** The refused credentials that came from one address for one reason. */
export interface RefusedLogins {
  readonly address: string;
  readonly reason: string;
  readonly count: number;
  /** The users of the tokens, as far as they are known. */
  readonly users: readonly string[];
  readonly first: string;
  readonly last: string;
}

/** The result. */
export interface Usage {
  readonly calls: readonly UseOfTool[];
  readonly refused: readonly RefusedLogins[];
}

/** What is collected for one pair. */
interface Sum {
  count: number;
  errors: number;
  readonly durations: Durations;
  readonly users: Set<string>;
  firstMs: number;
  lastMs: number;
}

/** The messages of lines that are calls. */
const CALLS = new Set(['tool call', 'prompt served', 'resource read']);
/** The most pairs that are counted separately; an attacker may have any number of addresses. */
const MAX_SUMS = 100_000;
/** The pair that counts for all others. */
const OTHERS = ['(others)', ''] as const;

/** Collects the sums of a log. */
export class Tally {
  readonly #calls = new Map<string, Sum>();
  readonly #refused = new Map<string, Sum>();
  readonly #sinceMs: number;

  constructor(sinceMs = -Infinity) {
    this.#sinceMs = sinceMs;
  }

  /** Adds a line. */
  add(line: LogLine): void {
    const timeMs = timeOf(line);
    if (!(timeMs >= this.#sinceMs)) return;
    const [message, error] = [textOf(line, 'msg') ?? '', textOf(line, 'error') ?? ''];
    const userId = textOf(line, 'userId');
    if (CALLS.has(message)) {
      const called = textOf(line, 'tool') ?? textOf(line, 'prompt') ?? textOf(line, 'resource') ?? '';
      const sum = sumOf(this.#calls, [userId ?? '', called], timeMs);
      if (!GOOD_OUTCOMES.has(textOf(line, 'outcome') ?? '')) sum.errors += 1;
      if (typeof line['durationMs'] === 'number') sum.durations.add(line['durationMs']);
    } else if (message === 'request' && LOGIN_CODES.has(error)) {
      const reason = textOf(line, 'reason') ?? error;
      const sum = sumOf(this.#refused, [textOf(line, 'address') ?? '(not logged)', reason], timeMs);
      if (userId !== undefined && sum.users.size < MAX_USERS) sum.users.add(userId);
    }
  }

  /** The result, with calls in the order of users and tools, and refused logins from the most frequent to the least. */
  result(): Usage {
    const calls = [...this.#calls].map(([key, sum]) => {
      const [userId = '', tool = ''] = key.split('\n');
      const { count, errors, durations } = sum;
      const [p50Ms, p99Ms] = [durations.percentile(0.5), durations.percentile(0.99)];
      const { first, last } = timesOf(sum);
      return { userId, tool, calls: count, errors, p50Ms, p99Ms, first, last };
    });
    const refused = [...this.#refused].map(([key, sum]) => {
      const [address = '', reason = ''] = key.split('\n');
      const { first, last } = timesOf(sum);
      return { address, reason, count: sum.count, users: [...sum.users].toSorted(), first, last };
    });
    return {
      calls: calls.toSorted(
        (one, other) => compare(one.userId, other.userId) || compare(one.tool, other.tool),
      ),
      refused: refused.toSorted(
        (one, other) => other.count - one.count || compare(one.address, other.address),
      ),
    };
  }
}

/** The most users that are named for one address. */
const MAX_USERS = 20;

/** Adds one to the sum of a pair, and returns the sum. */
function sumOf(sums: Map<string, Sum>, pair: readonly [string, string], timeMs: number): Sum {
  const key = pair.join('\n');
  let sum = sums.get(key);
  if (sum === undefined) {
    if (sums.size >= MAX_SUMS && pair !== OTHERS) return sumOf(sums, OTHERS, timeMs);
    sum = {
      count: 0,
      errors: 0,
      durations: new Durations(),
      users: new Set(),
      firstMs: timeMs,
      lastMs: timeMs,
    };
    sums.set(key, sum);
  }
  sum.count += 1;
  // Files, and so lines, may come in any order.
  sum.firstMs = Math.min(sum.firstMs, timeMs);
  sum.lastMs = Math.max(sum.lastMs, timeMs);
  return sum;
}

/** The first and the last time, to the second. */
function timesOf({ firstMs, lastMs }: Sum): { readonly first: string; readonly last: string } {
  return { first: spell(firstMs), last: spell(lastMs) };
}

/** Formats a moment in UTC, to the second. */
function spell(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Compares two strings by code units, so that the order does not depend on the locale. */
function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}

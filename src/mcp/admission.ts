/**
 * Admits or rejects a user's request by its scope, the user's calls at once and the user's calls a minute. Every tool call comes here,
 * whatever its transport and the way it is answered, and so do requests for prompts and resources; only tool calls count towards the
 * minute.
 */
import { hasScope } from '../auth/user.ts';
import type { Caller } from './caller.ts';
import { type CallLimit, secondsOf } from './call-limit.ts';
import type { InFlight } from './in-flight.ts';

/** What a request asks for. */
export interface Request {
  /** The word for it in messages: `tool`, `prompt`. */
  readonly kind: string;
  readonly name: string;
  readonly scope?: string | undefined;
  /** How many calls it counts for. */
  readonly cost: number;
}

/** The limits that the requests of all users share. */
export interface Admission {
  readonly callLimit: CallLimit;
  readonly inFlight: InFlight;
}

/** Why a request is rejected: the outcome for its line in the log, and the words for its sender. */
export interface Rejection {
  readonly outcome: 'insufficient_scope' | 'call_limit' | 'too_many_calls';
  readonly words: string;
}

/**
 * Admits a request and returns undefined, or else returns why it is rejected. After an admitted request the caller gives its place back to
 * `inFlight`.
 */
export function admit(
  { kind, name, scope, cost }: Request,
  { user, grant }: Caller,
  { callLimit, inFlight }: Admission,
): Rejection | undefined {
  if (!hasScope(user, scope))
    return reject(
      'insufficient_scope',
      `the ${kind} ${name} needs the scope "${scope}", which this user's token does not have.`,
    );
  if (!inFlight.takePlace(user.userId))
    return reject(
      'too_many_calls',
      `${inFlight.maxCallsPerUser} calls of this user are running. Wait until one has ended, then ${kind === 'tool' ? 'call' : 'try'} again.`,
    );
  // Last, since a rejected call must not count.
  const waitMs = callLimit.take(grant, cost);
  if (waitMs !== undefined) {
    inFlight.givePlaceBack(user.userId);
    const counts = cost === 1 ? '' : `, and a call of ${name} counts as ${cost}`;
    return reject(
      'call_limit',
      `this user may make ${callLimit.perMinuteOf(grant)} tool calls a minute${counts}. Wait ${inSeconds(waitMs)}, then call again.`,
    );
  }
  return undefined;
}

/** A rejection, whose words begin with its outcome. */
function reject(outcome: Rejection['outcome'], words: string): Rejection {
  return { outcome, words: `${outcome}: ${words}` };
}

/** A wait in words. */
function inSeconds(waitMs: number): string {
  const seconds = secondsOf(waitMs);
  return seconds === 1 ? '1 second' : `${seconds} seconds`;
}

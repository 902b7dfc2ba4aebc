/**
 * Whether a user's request is let in: scope, calls a minute, calls at once. Every call of a tool comes here, whatever its transport and
 * the way it is answered, and so does what is asked of prompts and resources; of these, only calls of tools count towards the minute.
 */
import { hasScope } from '../auth/user.ts';
import type { Caller } from './caller.ts';
import { type CallLimit, secondsOf } from './call-limit.ts';
import type { InFlight } from './in-flight.ts';

/** What is asked for. */
export interface Request {
  /** In words: `tool`, `prompt`. */
  readonly kind: string;
  readonly name: string;
  readonly scope?: string | undefined;
  /** How many calls it counts for. */
  readonly cost: number;
}

/** What the requests of all users take from. */
export interface Admission {
  readonly callLimit: CallLimit;
  readonly inFlight: InFlight;
}

/** Why a request is not let in: what its line in the log says, and what its sender reads. */
export interface Rejection {
  readonly outcome: 'insufficient_scope' | 'call_limit' | 'too_many_calls';
  readonly words: string;
}

/** Lets a request in; whoever does so gives its place back to `inFlight`. Undefined when it is in. */
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
  // Last: what is not let in must not count.
  const waitMs = callLimit.take(grant, cost);
  if (waitMs !== undefined) {
    inFlight.givePlaceBack(user.userId);
    const counts = cost === 1 ? '' : `, and one of ${name} counts for ${cost}`;
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

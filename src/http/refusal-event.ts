/** What is told of each request that is refused, to whoever listens on a channel of `node:diagnostics_channel`. */

/** Published once for each refusal. */
export const REFUSED = 'mcp:refused';

/** Codes of refusals that are about a credential. */
export const LOGIN_CODES: ReadonlySet<string> = new Set([
  'unauthorized',
  'invalid_token',
  'too_many_failures',
]);

/** A refusal as the channel has it: never a token, a header or a value. */
export interface RefusalEvent {
  readonly status: number;
  /** The refusal's code, such as `invalid_token`. */
  readonly code: string;
  /** Why a credential is refused, such as `expired`. */
  readonly reason: string | undefined;
  /** The variable whose limit was reached. */
  readonly limit: string | undefined;
  readonly requestId: string;
  /** Whose request it was, or whose token it would have been; undefined where nobody knows. */
  readonly userId: string | undefined;
  readonly tokenId: string | undefined;
  readonly client: string | undefined;
  /** Where it came from; undefined with `LOG_ADDRESSES=false`. */
  readonly address: string | undefined;
}

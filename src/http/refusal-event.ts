/** The event of a refused request, for subscribers of a channel of `node:diagnostics_channel`. */

/** The name of the channel. Each refusal is published once. */
export const REFUSED = 'mcp:refused';

/** Codes of refusals that are about a credential. */
export const LOGIN_CODES: ReadonlySet<string> = new Set([
  'unauthorized',
  'invalid_token',
  'too_many_failures',
]);

/** A refusal as it is published: never with a token, a header or a value. */
export interface RefusalEvent {
  readonly status: number;
  /** The refusal's code, such as `invalid_token`. */
  readonly code: string;
  /** Why a credential is refused, such as `expired`. */
  readonly reason: string | undefined;
  /** The variable whose limit was reached. */
  readonly limit: string | undefined;
  readonly requestId: string;
  /** The user of the request, or of the refused token; undefined if unknown. */
  readonly userId: string | undefined;
  readonly tokenId: string | undefined;
  readonly client: string | undefined;
  /** The address of the client; undefined with `LOG_ADDRESSES=false`. */
  readonly address: string | undefined;
}

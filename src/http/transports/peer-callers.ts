/** Callers, in the form in which one process sends them sealed to another; and the refusal when another process cannot be reached. */
import type { UserContext } from '../../auth/user.ts';
import type { Grant } from '../../auth/verifier.ts';
import type { Caller } from '../../mcp/caller.ts';
import type { Trace } from '../../mcp/trace.ts';
import { HttpError } from '../errors.ts';

/** A caller as it is sent to another process. The token itself never is: `key` is the digest by which every process knows it. */
export interface SpelledCaller {
  readonly user: UserContext;
  readonly tokenId?: string | undefined;
  readonly key?: string | undefined;
  readonly limit?: number | undefined;
  readonly transport: Caller['transport'];
  readonly requestId: string;
  readonly client?: string | undefined;
  readonly trace?: Trace | undefined;
}

/** Writes a caller for another process. */
export function spellCaller({ user, grant, transport, requestId, client, trace }: Caller): SpelledCaller {
  return {
    user,
    tokenId: grant.tokenId,
    key: grant.key,
    limit: grant.limit,
    transport,
    requestId,
    client,
    trace,
  };
}

/** Reads a caller whom another process has authenticated. */
export function readCaller({ user, transport, requestId, client, trace, ...token }: SpelledCaller): Caller {
  return { user, grant: new PassedGrant(user, token), transport, requestId, client, trace };
}

/** A grant that another process gave. Its key is private, so that serializing the grant does not show it, as with a verifier's own grants. */
class PassedGrant implements Grant {
  readonly user: UserContext;
  readonly tokenId?: string;
  readonly limit?: number;
  readonly #key: string | undefined;

  constructor(user: UserContext, { tokenId, key, limit }: Pick<SpelledCaller, 'tokenId' | 'key' | 'limit'>) {
    this.user = user;
    if (tokenId !== undefined) this.tokenId = tokenId;
    if (limit !== undefined) this.limit = limit;
    this.#key = key;
  }

  get key(): string {
    return this.#key ?? '';
  }
}

/** The answer to a request that needs a process which cannot be reached: it never says that there is no session. */
export function unreachable(cause?: unknown): HttpError {
  return new HttpError(
    503,
    'unreachable',
    'The process that has this session cannot be reached. Try again in a moment.',
    { headers: { 'Retry-After': '1' }, cause },
  );
}

/** Who sent what one process passes on to another, as JSON, which they seal; and what a client is told when that cannot be done. */
import type { UserContext } from '../../auth/user.ts';
import type { Grant } from '../../auth/verifier.ts';
import type { Caller } from '../../mcp/caller.ts';
import type { Trace } from '../../mcp/trace.ts';
import { HttpError } from '../errors.ts';

/** A caller on the way. The token never is: its key is the digest that every process knows it by. */
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

/** A caller for another process. */
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

/** The caller that another process let in. */
export function readCaller({ user, transport, requestId, client, trace, ...token }: SpelledCaller): Caller {
  return { user, grant: new PassedGrant(user, token), transport, requestId, client, trace };
}

/** A grant that another process gave; its key stays out of reach of whatever spells it, as that of the verifier's own does. */
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

/** What is told to somebody whose request needs a process that cannot be reached: never that there is no session. */
export function unreachable(cause?: unknown): HttpError {
  return new HttpError(
    503,
    'unreachable',
    'The process that has this session cannot be reached. Try again in a moment.',
    { headers: { 'Retry-After': '1' }, cause },
  );
}

/** Who a request comes from, as tools and logs see it: never the token itself. */
import { deepFreeze } from '../deep-freeze.ts';

/** The user behind a credential. Frozen, so that no tool can change it for the next call. */
export interface UserContext {
  readonly userId: string;
  /** What to call the user; the user id if the token file gives no name. */
  readonly name: string;
  /** The scopes granted. Absent means every tool (design of the token file). */
  readonly scopes?: readonly string[];
  /**
   * The user's id at an identity provider. `userId` names the provider as well: it is never that of a user of the token file or of another provider.
   */
  readonly subject?: string;
  /** The scopes that the user would get by signing in again and asking for them; `any`: every scope. Absent: no others. */
  readonly obtainable?: 'any' | readonly string[];
  /** Free data from the token file, for the fork's own tools. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** The fields of {@link createUserContext}. */
export interface UserFields {
  readonly userId: string;
  readonly name?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly subject?: string | undefined;
  readonly obtainable?: UserContext['obtainable'] | undefined;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
}

/** Makes a user that is frozen at every level. */
export function createUserContext(fields: UserFields): UserContext {
  const { userId, name = userId, scopes, subject, obtainable, metadata } = fields;
  return deepFreeze({
    userId,
    name,
    metadata: metadata === undefined ? NO_METADATA : structuredClone(metadata),
    ...(scopes !== undefined && { scopes: [...scopes] }),
    ...(subject !== undefined && { subject }),
    ...(obtainable !== undefined && { obtainable: obtainable === 'any' ? obtainable : [...obtainable] }),
  });
}

/** The metadata of most users: one object for all of them. */
const NO_METADATA = Object.freeze({});

/** Whether the user may use what requires `scope`; undefined: no scope is required. */
export function hasScope(user: UserContext, scope: string | undefined): boolean {
  return scope === undefined || user.scopes === undefined || user.scopes.includes(scope);
}

/** Whether the user would have `scope` after signing in again. */
export function canObtain({ obtainable }: UserContext, scope: string): boolean {
  return obtainable === 'any' || obtainable?.includes(scope) === true;
}

/** Whether lists show the user what requires `scope`. What signing in again would give is shown too, or nobody would ask for it. */
export function maySee(user: UserContext, scope: string | undefined): boolean {
  return hasScope(user, scope) || (scope !== undefined && canObtain(user, scope));
}

/** The user of every request while authentication is off. */
export const ANONYMOUS = createUserContext({ userId: 'anonymous', name: 'Anonymous' });

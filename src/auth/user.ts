/** Who a request comes from, as tools and logs see it: never the token itself. */
import { deepFreeze } from '../deep-freeze.ts';

/** The user behind a credential. Frozen, so that no tool can change it for the next call. */
export interface UserContext {
  readonly userId: string;
  /** What to call the user; the user id where the token file gives no name. */
  readonly name: string;
  /** The scopes granted. Absent means every tool (design of the token file). */
  readonly scopes?: readonly string[];
  /** What an identity provider calls the user; `userId` tells that user from one of the token file, or of another provider. */
  readonly subject?: string;
  /** The scopes that the user would have after signing in again and asking for them; `any`: whatever there is. Absent: no others. */
  readonly obtainable?: 'any' | readonly string[];
  /** Free data from the token file, for the fork's own tools. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** What {@link createUserContext} is made from. */
export interface UserFields {
  readonly userId: string;
  readonly name?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly subject?: string | undefined;
  readonly obtainable?: UserContext['obtainable'] | undefined;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
}

/** Makes a user whose every level is frozen. */
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

/** What most users have: one object for all of them. */
const NO_METADATA = Object.freeze({});

/** Whether the user may use what asks for `scope`. */
export function hasScope(user: UserContext, scope: string | undefined): boolean {
  return scope === undefined || user.scopes === undefined || user.scopes.includes(scope);
}

/** Whether the user would have `scope` after signing in again. */
export function canObtain({ obtainable }: UserContext, scope: string): boolean {
  return obtainable === 'any' || obtainable?.includes(scope) === true;
}

/** Whether lists show the user what asks for `scope`: what signing in again would give is shown too, or nobody would ask for it. */
export function maySee(user: UserContext, scope: string | undefined): boolean {
  return hasScope(user, scope) || (scope !== undefined && canObtain(user, scope));
}

/** The user of every request while authentication is off. */
export const ANONYMOUS = createUserContext({ userId: 'anonymous', name: 'Anonymous' });

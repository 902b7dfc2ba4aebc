/** Who a request comes from, as tools and logs see it: never the token itself. */
import { deepFreeze } from '../deep-freeze.ts';

/** The user behind a credential. Frozen, so that no tool can change it for the next call. */
export interface UserContext {
  readonly userId: string;
  /** What to call the user; the user id where the token file gives no name. */
  readonly name: string;
  /** The scopes granted. Absent means every tool (design of the token file). */
  readonly scopes?: readonly string[];
  /** Free data from the token file, for the fork's own tools. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** What {@link createUserContext} is made from. */
export interface UserFields {
  readonly userId: string;
  readonly name?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
}

/** Makes a user whose every level is frozen. */
export function createUserContext({ userId, name = userId, scopes, metadata }: UserFields): UserContext {
  const user = { userId, name, metadata: metadata === undefined ? NO_METADATA : structuredClone(metadata) };
  return deepFreeze(scopes === undefined ? user : { ...user, scopes: [...scopes] });
}

/** What most users have: one object for all of them. */
const NO_METADATA = Object.freeze({});

/** Whether the user may use what asks for `scope`. */
export function hasScope(user: UserContext, scope: string | undefined): boolean {
  return scope === undefined || user.scopes === undefined || user.scopes.includes(scope);
}

/** The user of every request while authentication is off. */
export const ANONYMOUS = createUserContext({ userId: 'anonymous', name: 'Anonymous' });

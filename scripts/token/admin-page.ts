/** The page for admins, told to whoever makes a token that opens it. */
import { ADMIN_SCOPE } from '../../src/auth/tokens/scopes.ts';

/** Where people and their tokens are managed with a token of these scopes; nothing where it does not let in there. */
export function adminPageLines(origin: string, scopes: readonly string[] | undefined): readonly string[] {
  if (scopes?.includes(ADMIN_SCOPE) !== true) return [];
  return ['It manages people and their tokens at:', '', `  ${origin}/admin`, ''];
}

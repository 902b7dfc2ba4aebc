/** Points whoever makes a token with the admin scope to the admin page. */
import { ADMIN_SCOPE } from '../../src/auth/tokens/scopes.ts';

/** The lines that give the address of the admin page, for a token that opens it; none for any other token. */
export function adminPageLines(origin: string, scopes: readonly string[] | undefined): readonly string[] {
  if (scopes?.includes(ADMIN_SCOPE) !== true) return [];
  return [
    'This token opens the page where people and their tokens are managed:',
    '',
    `  ${origin}/admin`,
    '',
  ];
}

/** What somebody with a fresh token is told: the configuration that most need, and where the others are. */
import { renderClient } from './clients.ts';
import type { ConnectTarget } from './target.ts';

/** The lines, for a terminal. */
export function howToConnect(
  target: ConnectTarget,
  { canSignIn = false }: { readonly canSignIn?: boolean } = {},
): readonly string[] {
  const { where, text } = renderClient('claude-desktop', target);
  return [
    ...(canSignIn ? [signInHere(target), ''] : []),
    `For Claude Desktop, in ${where}:`,
    '',
    text,
    '',
    `For other clients: npm run connect -- --url ${target.origin} --token-stdin`,
  ];
}

/** For clients that sign in: the bare address, and what they then ask their user for. */
function signInHere(target: ConnectTarget): string {
  const { title, text } = renderClient('sign-in', target);
  return `${title} take the address alone, and ask for the token on a page: ${text}`;
}

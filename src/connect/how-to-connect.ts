/** What the holder of a new token is told: the configuration that most people need, and how to get the others. */
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

/** The line for clients that sign in: they need only the address, and ask their user for the token. */
function signInHere(target: ConnectTarget): string {
  const { title, text } = renderClient('sign-in', target);
  return `${title} take the address alone, and ask for the token on a page: ${text}`;
}

/** What somebody with a fresh token is told: the configuration that most need, and where the others are. */
import { renderClient } from './clients.ts';

/** The lines, for a terminal. */
export function howToConnect(origin: string, token: string): readonly string[] {
  const { where, text } = renderClient('claude-desktop', { origin, token });
  return [
    `For Claude Desktop, in ${where}:`,
    '',
    text,
    '',
    `For other clients: npm run connect -- --url ${origin} --token-stdin`,
  ];
}

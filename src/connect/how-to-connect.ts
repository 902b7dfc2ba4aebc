/** What somebody with a fresh token is told: the configuration that most need, and where the others are. */
import { renderClient } from './clients.ts';
import type { ConnectTarget } from './target.ts';

/** The lines, for a terminal. */
export function howToConnect(target: ConnectTarget): readonly string[] {
  const { where, text } = renderClient('claude-desktop', target);
  return [
    `For Claude Desktop, in ${where}:`,
    '',
    text,
    '',
    `For other clients: npm run connect -- --url ${target.origin} --token-stdin`,
  ];
}

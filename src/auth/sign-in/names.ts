/** Makes names from outside fit to be shown to people: no character may change how the name, or the text beside it, is displayed. */

/** The longest name in characters; a longer one is cut. */
const MAX_NAME_CHARS = 80;

/** Control characters, invisible ones, and those that change the direction of the text behind them. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}\p{Cn}]/gu;

/** A client's name as the page shows it; undefined when nothing of it is left. */
export function readableName(name: unknown): string | undefined {
  if (typeof name !== 'string') return undefined;
  const readable = name
    .slice(0, 4 * MAX_NAME_CHARS)
    .replaceAll(UNSEEN, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
  const characters = Array.from(readable);
  if (characters.length === 0) return undefined;
  return characters.length <= MAX_NAME_CHARS
    ? readable
    : `${characters.slice(0, MAX_NAME_CHARS - 1).join('')}…`;
}

/** From the text of a token file to the tokens that count. */
import type { Logger } from 'pino';
import { parseTokens } from './parse-tokens.ts';
import { TokenFileError } from './token-file-error.ts';
import { createTokenSet, type TokenEntry, type TokenSet } from './token-set.ts';
import { judgeTokens, type WeakTokens } from './weak-tokens.ts';

/** What counts besides the text, and how it is judged. */
export interface LoadOptions {
  readonly log: Logger;
  /** Entries that count besides those of the text, whatever that says. */
  readonly extraEntries?: readonly TokenEntry[];
  /** What becomes of tokens that are no secret. Default: nothing. */
  readonly weakTokens?: WeakTokens;
  /** Whether there need be none: others let callers in too. */
  readonly mayBeNone?: boolean;
  readonly now?: () => number;
}

/**
 * Makes the set of the tokens that `text` holds, and of those that count besides.
 * @throws {TokenFileError} when the text is broken, or there is no token at all: nobody could get in
 */
export function loadTokens(
  text: string,
  { log, extraEntries = [], weakTokens = 'allow', mayBeNone = false, now = Date.now }: LoadOptions,
): TokenSet {
  const entries = parseTokens(text);
  if (entries.length + extraEntries.length === 0 && !mayBeNone) throw new TokenFileError('holds no token');
  judgeTokens(entries, weakTokens, log);
  return createTokenSet([...entries, ...extraEntries], now);
}

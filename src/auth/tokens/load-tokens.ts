/** Makes the set of the tokens that the text of a token file holds. */
import type { Logger } from 'pino';
import { parseTokens } from './parse-tokens.ts';
import { TokenFileError } from './token-file-error.ts';
import { createTokenSet, type TokenEntry, type TokenSet } from './token-set.ts';
import { judgeTokens, type WeakTokens } from './weak-tokens.ts';

/** What tokens are loaded with. */
export interface LoadOptions {
  readonly log: Logger;
  /** Entries that are in force besides those of the text, whatever it says. */
  readonly extraEntries?: readonly TokenEntry[];
  /** What is done about tokens that are no secret. Default: nothing. */
  readonly weakTokens?: WeakTokens;
  /** Whether it is no error that there is no token, since callers can also be authenticated in another way. */
  readonly mayBeNone?: boolean;
  readonly now?: () => number;
}

/**
 * Makes the set of the tokens that `text` holds, and of the extra entries.
 * @throws {TokenFileError} when the text is not valid, when weak tokens are refused, or when there is no token at all and nobody could get in
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

/** Tokens that anybody can find: those of this repository, and those that are short enough to be guessed. */
import type { Logger } from 'pino';
import { digestToken, tokenIdOf } from '../digest.ts';
import { TokenFileError } from './token-file-error.ts';
import type { TokenEntry } from './token-set.ts';

/** Why a token is no secret. */
export type Weakness = 'published' | 'short';

/** The fewest characters of a token on a server that others can reach. Tokens of `npm run token` have 47. */
export const MIN_TOKEN_CHARS = 20;

/** The tokens in this repository; their digests are as public as it is. */
const PUBLISHED_TOKENS = [
  // The example of the digest form in tokens.example.json.
  '1',
  'tok_test1_abc123',
  'tok_test2_def456',
  'tok_change_me',
  // The example of ADMIN_TOKEN.
  'a-long-secret-of-your-own',
  'tok_wrong_0123456789',
  'tok_expired_0123456789',
  'tok_disabled_0123456789',
  'tok_greeter_0123456789',
];
const PUBLISHED_DIGESTS: ReadonlySet<string> = new Set(PUBLISHED_TOKENS.map(digestToken));

/** Why the token of an entry is no secret; undefined when it may be one. `key` is the key of the entry in the file. */
export function weaknessOf(key: string, digest: string): Weakness | undefined {
  if (PUBLISHED_DIGESTS.has(digest)) return 'published';
  // A digest does not tell how long its token is.
  return !key.startsWith('sha256:') && key.length < MIN_TOKEN_CHARS ? 'short' : undefined;
}

/** The ids of the tokens that are no secret and are not disabled. */
export function idsOfWeak(entries: readonly TokenEntry[]): string[] {
  return entries.flatMap(({ weakness, disabled, digest }) =>
    weakness === undefined || disabled ? [] : [tokenIdOf(digest)],
  );
}

/** What is done about tokens that are no secret: nothing, as on a laptop; a warning; or a refusal of the whole set. */
export type WeakTokens = 'allow' | 'warn' | 'refuse';

/**
 * Judges tokens, unless the policy is `allow`. Weak ones open the server to whoever has read this repository or guesses for a while: they are
 * refused, or a warning names them. Another warning names tokens that are in the file themselves, as whoever sees the file can use them.
 * @throws {TokenFileError} when weak tokens are refused, naming the first five by their position
 */
export function judgeTokens(entries: readonly TokenEntry[], policy: WeakTokens, log: Logger): void {
  if (policy === 'allow') return;
  const problems = entries.flatMap(({ weakness, disabled }, index) =>
    weakness === undefined || disabled ? [] : [`entry ${index + 1} ${PROBLEMS[weakness]}`],
  );
  const more = problems.length > 5 ? `; and ${problems.length - 5} more` : '';
  const named = problems.slice(0, 5).join('; ') + more;
  if (problems.length > 0 && policy === 'refuse') throw new TokenFileError(`${named}. ${REFUSAL}`);
  if (problems.length > 0)
    log.warn({ problem: named }, 'tokens are accepted that anybody can guess or look up');
  const plain = entries.filter(({ isPlain, weakness }) => isPlain === true && weakness === undefined);
  if (plain.length > 0)
    log.warn(
      { tokens: plain.length, tokenIds: plain.slice(0, 20).map(({ digest }) => tokenIdOf(digest)) },
      'the file holds tokens themselves instead of their digests; "npm run token -- rotate ID" replaces one',
    );
}

const REFUSAL =
  'Others can reach this server, and such a token keeps nobody out. Make tokens with "npm run token -- create", or set ' +
  'ALLOW_WEAK_TOKENS=true for a trial';

const PROBLEMS: Readonly<Record<Weakness, string>> = {
  published: "is a token of this server's documentation, which everybody knows",
  short: `is a token of fewer than ${MIN_TOKEN_CHARS} characters, which can be guessed`,
};

/** Parses the text of a token file into its entries, or names every problem by the position of the entry and the field. */
import { z } from 'zod';
import { runAtOnce, type Steps } from '../../in-slices.ts';
import { readCredential } from '../credential.ts';
import { digestToken } from '../digest.ts';
import type { TokenEntry } from './token-set.ts';
import { TokenFileError } from './token-file-error.ts';
import { type FileProperty, propertiesOf } from './token-file-syntax.ts';
import { createUserContext } from '../user.ts';
import { weaknessOf } from './weak-tokens.ts';

/** An entry, and where its property stands in the text. */
export interface LocatedEntry extends Pick<FileProperty, 'start' | 'valueStart' | 'end'> {
  readonly entry: TokenEntry;
}

/**
 * Reads the entries of a token file, in their order.
 * @throws {TokenFileError} naming the place of every fault (the first five of them)
 */
export function parseTokens(text: string): TokenEntry[] {
  return runAtOnce(parseTokensInSteps(text));
}

/** As {@link parseTokens}, but yields after each entry: a file of a hundred thousand takes a second. */
export function* parseTokensInSteps(text: string): Steps<TokenEntry[]> {
  return (yield* locateTokensInSteps(text)).map(({ entry }) => entry);
}

/** As {@link parseTokensInSteps}, with the place of each entry in the text, for those who change the text. */
export function* locateTokensInSteps(text: string): Steps<LocatedEntry[]> {
  const problems: string[] = [];
  const positions = new Map<string, number>();
  const entries: LocatedEntry[] = [];
  let position = 0;
  for (const property of propertiesOf(text)) {
    position += 1;
    const found = parseEntry(property);
    const twin = found.digest === undefined ? undefined : positions.get(found.digest);
    if (found.digest !== undefined) positions.set(found.digest, position);
    if (twin !== undefined) found.problems.push(`is the same token as entry ${twin}`);
    for (const problem of found.problems) problems.push(`entry ${position} ${problem}`);
    const { start, valueStart, end } = property;
    if (found.entry !== undefined) entries.push({ entry: found.entry, start, valueStart, end });
    yield;
  }
  if (problems.length > 0) {
    const more = problems.length > 5 ? `; and ${problems.length - 5} more` : '';
    throw new TokenFileError(problems.slice(0, 5).join('; ') + more);
  }
  return entries;
}

/** A scope as RFC 6749, section 3.3 spells it. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** A date and time with its offset, or a date alone, which means midnight UTC. */
const MOMENT = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()], 'must be a date such as 2027-06-30T00:00:00Z')
  .transform((text) => Date.parse(text));

const ENTRY = z.strictObject({
  userId: z
    .string('must be a string')
    .trim()
    .min(1, 'must not be empty')
    .max(200, 'must be at most 200 characters'),
  name: z
    .string('must be a string')
    .min(1, 'must not be empty')
    .max(200, 'must be at most 200 characters')
    .optional(),
  scopes: z
    .array(
      z.string('must hold strings').regex(SCOPE, 'must hold scopes without spaces or quotes'),
      'must be a list of strings',
    )
    .optional(),
  expiresAt: MOMENT.optional(),
  notBefore: MOMENT.optional(),
  signInsSince: MOMENT.optional(),
  limit: z
    .int('must be a whole number')
    .min(0, 'must be from 0 to 1000000')
    .max(1_000_000, 'must be from 0 to 1000000')
    .optional(),
  disabled: z.boolean('must be true or false').optional(),
  metadata: z.record(z.string(), z.json(), 'must be an object').optional(),
});

/** One property of the file, parsed: its digest and its entry as far as they are valid, and its problems. */
interface ParsedEntry {
  readonly digest?: string | undefined;
  readonly entry?: TokenEntry;
  readonly problems: string[];
}

/** Reads one `"token": { … }` property. */
function parseEntry({ key, value, repeated }: FileProperty): ParsedEntry {
  const problems: string[] = [];
  const digest = digestOfKey(key);
  const objection = digest === undefined ? NO_KEY : objectionTo(key);
  if (objection !== undefined) problems.push(objection);
  if (repeated !== undefined) problems.push(`names ${quoteField(repeated)} twice`);

  const parsed = ENTRY.safeParse(value);
  if (!parsed.success) {
    problems.push(...parsed.error.issues.flatMap(describeIssue));
    return { digest, problems };
  }
  if (digest === undefined) return { problems };
  const {
    userId,
    name,
    scopes,
    metadata,
    expiresAt,
    notBefore,
    signInsSince,
    limit,
    disabled = false,
  } = parsed.data;
  const user = createUserContext({ userId, name, scopes, metadata });
  return {
    digest,
    problems,
    entry: {
      digest,
      user,
      expiresAtMs: expiresAt,
      notBeforeMs: notBefore,
      signInsSinceMs: signInsSince,
      limit,
      disabled,
      isPlain: key.startsWith('sha256:') ? undefined : true,
      weakness: weaknessOf(key, digest),
    },
  };
}

const NO_KEY =
  'has a key that is neither a token of printable characters without spaces nor "sha256:" and 64 hex digits';

/** The longest key. No server takes a header that is longer. */
const MAX_KEY_CHARS = 8_000;

/** Why no request could present a token, since the server would take it for a mistake in a client's configuration; undefined when one could. */
function objectionTo(key: string): string | undefined {
  if (key.length > MAX_KEY_CHARS)
    return `has a key of more than ${MAX_KEY_CHARS} characters, which no header holds`;
  const credential = key.startsWith('sha256:')
    ? undefined
    : readCredential({ authorization: `Bearer ${key}` });
  if (credential?.kind !== 'malformed') return undefined;
  return `has a key that is refused whenever a client sends it, in these words: "${credential.hint}"`;
}

/** The digest of the token that a key is or stands for; undefined when no client could send it. */
function digestOfKey(key: string): string | undefined {
  // With the prefix in capitals, the key would be a token by itself, and whoever reads the file could send it.
  if (/^sha256:/i.test(key)) return /^sha256:([0-9a-fA-F]{64})$/.exec(key)?.[1]?.toLowerCase();
  return /^[\x21-\x7e]+$/.test(key) ? digestToken(key) : undefined;
}

/** One zod issue in words, without the value. */
function describeIssue(issue: z.core.$ZodIssue): string[] {
  const field = issue.path[0];
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => `has the unknown field ${quoteField(key)}`);
  if (field === undefined) return ['must be an object with at least "userId"'];
  if (field === 'userId' && issue.code === 'invalid_type') return ['needs "userId", a string'];
  return [`field ${quoteField(String(field))} ${issue.message}`];
}

/** The name of a field in quotes. A name that could be a misplaced secret is not shown. */
function quoteField(name: string): string {
  return /^[A-Za-z]{1,24}$/.test(name) ? `"${name}"` : '(name not shown)';
}

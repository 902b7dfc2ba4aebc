/** The variables by which what a process has issued, such as session ids, outlives that process and counts in every other one. */
import { z } from 'zod';
import { ConfigError } from './config-error.ts';
import { canDecode, HOW_TO_ENCODE, isStoreAddress, wholeNumber } from './value-types.ts';
import type { ValuesOf, Variables } from './variable.ts';

/** What a process shares with those that come after it, and with those beside it. */
export interface SharingConfig {
  /** In base64url; the first one seals. Empty if there is none: then nothing outlives the process. */
  readonly secrets: readonly string[];
  /** The age up to which this process goes on with a session that another one opened. */
  readonly sessionMaxAgeMs: number;
  /** Where the processes of this server meet; absent if there is one only, or if all that they need is in what clients send. */
  readonly redis?: { readonly url: string; readonly prefix: string };
}

/** The length of a secret that `npm run token -- secret` prints. Bytes. */
const SECRET_BYTES = 32;

/** The most secrets at once. More are a mistake: each has to be tried on every value that none of them has sealed. */
const MAX_SECRETS = 8;

/** Parses one secret, or several. */
const SECRETS = z.string().transform((text, context) => {
  const parts = text.split(',').map((part) => part.trim());
  const secrets = parts.filter((part) => part !== '').map(toBase64Url);
  if (secrets.length === 0 || !secrets.every(isSecret)) {
    context.addIssue(
      'must be 32 or more random bytes in base64url, as npm run token -- secret prints them, or several such secrets, separated by commas',
    );
  } else if (new Set(secrets).size < secrets.length)
    context.addIssue('must not hold the same secret twice: leave it out once');
  else if (secrets.length > MAX_SECRETS)
    context.addIssue(`must hold no more than ${MAX_SECRETS} secrets: leave out the oldest`);
  return secrets;
});

/** The address of a Redis, and which of its databases is meant. */
const REDIS_ADDRESS = z.string().transform((text, context) => {
  if (!isRedisAddress(text))
    context.addIssue(
      `must be redis://user:password@host:6379, rediss://… or unix:///path/to/socket; ${HOW_TO_ENCODE}`,
    );
  else if (!namesDatabase(text))
    context.addIssue(
      'must name its database by a number, as in redis://host:6379/0 or unix:///path/to/socket?db=0, or not at all',
    );
  return text;
});

export const SHARING_VARIABLES = {
  SERVER_SECRET: {
    description:
      'Lets sessions outlive restarts, and lets every process with the same secret serve them: 32 or more random bytes in base64url, as npm run token -- secret prints them. Up to 8 secrets, separated by commas: the first one seals, each of them opens.',
    // An example that works would be a secret that everybody knows.
    example: '',
    schema: SECRETS.default([]),
  },
  SESSION_MAX_AGE_SECONDS: {
    description:
      'With SERVER_SECRET: seconds after the opening of a session during which another process can resume it.',
    example: '604800',
    schema: wholeNumber(604_800, 60, 7_776_000),
  },
  REDIS_URL: {
    description:
      'The Redis (6.2 or later) or Valkey that connects several processes of this server: redis://, rediss:// (TLS) or unix://. Needs SERVER_SECRET.',
    // With an example that works, a start would wait for it.
    example: '',
    schema: REDIS_ADDRESS.optional(),
  },
  REDIS_PREFIX: {
    description:
      'The prefix of all keys and channels of this server, for several servers that share one Redis.',
    example: 'mcp:',
    schema: z
      .string()
      .regex(/^[\w:{}.-]{1,64}$/, 'must be letters, digits and :{}_.- alone, 64 of them at most')
      .default('mcp:'),
  },
} as const satisfies Variables;

/**
 * Makes the configuration of what is shared.
 * @throws {ConfigError} when there is a REDIS_URL, and no SERVER_SECRET to seal what goes there
 */
export function sharingOf(values: ValuesOf<typeof SHARING_VARIABLES>): SharingConfig {
  const { SERVER_SECRET: secrets, REDIS_URL: url, REDIS_PREFIX: prefix } = values;
  if (url !== undefined && secrets.length === 0) {
    throw new ConfigError(
      'REDIS_URL needs SERVER_SECRET, the same in every process: npm run token -- secret prints one.',
    );
  }
  return {
    secrets,
    sessionMaxAgeMs: values.SESSION_MAX_AGE_SECONDS * 1000,
    ...(url !== undefined && { redis: { url, prefix } }),
  };
}

/** Whether a text is the address of a Redis. */
function isRedisAddress(text: string): boolean {
  if (text.startsWith('unix:')) return /^unix:\/\/\/[^?#]/.test(text) && canDecode(text);
  return /^rediss?:\/\//i.test(text) && isStoreAddress(text) && new URL(text).hostname !== '';
}

/** Whether an address names no database, or one in the form that the client reads. */
function namesDatabase(text: string): boolean {
  return text.startsWith('unix:')
    ? /^[^?#]+(\?db=\d{1,9})?$/.test(text)
    : /^\/?\d{0,9}$/.test(new URL(text).pathname);
}

/** Converts base64, which hosts generate and `openssl rand -base64 32` prints, to base64url. */
function toBase64Url(text: string): string {
  return text.replace(/=+$/, '').replaceAll('+', '-').replaceAll('/', '_');
}

/** Whether a text is what `npm run token -- secret` prints, or longer. */
function isSecret(text: string): boolean {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text && bytes.length >= SECRET_BYTES;
}

/** The fewest different bytes of a random secret: 32 random bytes have fewer once in 10^15 times, one key held down always. */
const DIFFERENT_BYTES = 16;

/** Whether a secret is plainly not random, such as one key held down. */
export function isGuessable(secret: string): boolean {
  return new Set(Buffer.from(secret, 'base64url')).size < DIFFERENT_BYTES;
}

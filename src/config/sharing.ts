/** The variables by which what was handed out outlives the process that did it, and means the same to every other one. */
import { z } from 'zod';
import { wholeNumber } from './value-types.ts';
import type { ValuesOf, Variables } from './variable.ts';

/** What a process shares with those that come after it, and with those beside it. */
export interface SharingConfig {
  /** In base64url, the one that seals first; empty where there is none, and nothing outlives the process. */
  readonly secrets: readonly string[];
  /** Of a session that another process opened: an older one is not gone on with. */
  readonly sessionMaxAgeMs: number;
}

/** As many as `npm run token -- secret` prints. Bytes. */
const SECRET_BYTES = 32;

/** Fewer different bytes are among 32 random ones once in 10^15 times, but in one key held down. */
const DIFFERENT_BYTES = 16;

/** More at once are a mistake: each has to be tried on every value that none of them has sealed. */
const MAX_SECRETS = 8;

/** What one, or several, must be. */
const SECRETS = z.string().transform((text, context) => {
  const secrets = text.split(',').map((part) => part.trim());
  if (!secrets.every(isSecret)) {
    context.addIssue(
      'must be 32 or more random bytes in base64url, as npm run token -- secret prints them, or several such secrets, separated by commas',
    );
  } else if (new Set(secrets).size < secrets.length)
    context.addIssue('must not hold the same secret twice: npm run token -- secret prints another');
  else if (secrets.length > MAX_SECRETS)
    context.addIssue(`must hold no more than ${MAX_SECRETS} secrets: leave out the oldest`);
  return secrets;
});

export const SHARING_VARIABLES = {
  SERVER_SECRET: {
    description:
      'Makes sessions outlive restarts, and good in every process that has it: npm run token -- secret prints one. Several, separated by commas: the first seals, all open.',
    // An example that works would be a secret that everybody knows.
    example: '',
    schema: SECRETS.default([]),
  },
  SESSION_MAX_AGE_SECONDS: {
    description:
      'With SERVER_SECRET: so long after its opening another process goes on with a session. Seconds.',
    example: '604800',
    schema: wholeNumber(604_800, 60, 7_776_000),
  },
} as const satisfies Variables;

/** What is shared. */
export function sharingOf(values: ValuesOf<typeof SHARING_VARIABLES>): SharingConfig {
  return { secrets: values.SERVER_SECRET, sessionMaxAgeMs: values.SESSION_MAX_AGE_SECONDS * 1000 };
}

/** Whether a text is what `npm run token -- secret` prints, or longer, and has not been typed by holding a key down. */
function isSecret(text: string): boolean {
  const bytes = Buffer.from(text, 'base64url');
  return (
    bytes.toString('base64url') === text &&
    bytes.length >= SECRET_BYTES &&
    new Set(bytes).size >= DIFFERENT_BYTES
  );
}

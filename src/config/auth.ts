/** The variables of authentication: whether it is on, and where the tokens are. */
import { z } from 'zod';
import { ConfigError } from './config-error.ts';
import { SWITCH, wholeNumber } from './value-types.ts';
import type { ValuesOf, Variables } from './variable.ts';

/** Where the tokens come from. */
export type TokenSource =
  | { readonly kind: 'text'; readonly text: string }
  /** `named`: TOKENS_FILE names it, so its absence is an error; else it is the default that may be absent. */
  | { readonly kind: 'file'; readonly path: string; readonly named: boolean };

/** Whether and how callers are authenticated. */
export interface AuthConfig {
  readonly enabled: boolean;
  readonly tokens: TokenSource;
  /** Refused credentials per minute and address; above it 429. */
  readonly failuresPerMinute: number;
}

export const AUTH_VARIABLES = {
  AUTH_ENABLED: {
    description: 'The toggle. Default: true in public mode, else false. true, false, 1, 0, yes or no.',
    example: 'true',
    schema: SWITCH.optional(),
  },
  ALLOW_PUBLIC_WITHOUT_AUTH: {
    description: 'Must be true before AUTH_ENABLED=false is accepted in public mode.',
    example: 'false',
    schema: SWITCH.default(false),
  },
  TOKENS_FILE: {
    description: 'The tokens, as a file; tokens.example.json shows its form.',
    example: 'tokens.json',
    schema: z.string().optional(),
  },
  AUTH_TOKENS: {
    description: 'The same JSON inline, which wins.',
    example: '{"tok_change_me":{"userId":"me"}}',
    schema: z.string().optional(),
  },
  MCP_TOKEN: {
    description: "The token of the stdio server's user, when AUTH_ENABLED=true.",
    example: 'tok_change_me',
    schema: z.string().optional(),
  },
  AUTH_FAILURES_PER_MINUTE: {
    description: 'Refused credentials per minute and address; above it 429.',
    example: '60',
    schema: wholeNumber(60, 1, 1_000_000),
  },
} as const satisfies Variables;

type Values = ValuesOf<typeof AUTH_VARIABLES>;

/**
 * Whether and how callers of the HTTP server are authenticated.
 * @throws {ConfigError} when it would stand open by mistake
 */
export function authOf(values: Values, { publicMode }: { readonly publicMode: boolean }): AuthConfig {
  const enabled = values.AUTH_ENABLED ?? publicMode;
  if (publicMode && !enabled && !values.ALLOW_PUBLIC_WITHOUT_AUTH) {
    throw new ConfigError(
      'AUTH_ENABLED=false would open this server to everybody who can reach it. Remove AUTH_ENABLED, or listen on ' +
        'loopback (HOST=127.0.0.1 without NODE_ENV=production), or set ALLOW_PUBLIC_WITHOUT_AUTH=true if that is meant.',
    );
  }
  return { enabled, tokens: tokenSourceOf(values), failuresPerMinute: values.AUTH_FAILURES_PER_MINUTE };
}

/** Where the tokens are: inline ones win over a file. */
export function tokenSourceOf({ AUTH_TOKENS, TOKENS_FILE }: Values): TokenSource {
  if (AUTH_TOKENS !== undefined) return { kind: 'text', text: AUTH_TOKENS };
  return { kind: 'file', path: TOKENS_FILE ?? 'tokens.json', named: TOKENS_FILE !== undefined };
}

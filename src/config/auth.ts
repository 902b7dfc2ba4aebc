/** The variables of authentication: whether it is on, and where the tokens are. */
import { z } from 'zod';
import { ConfigError } from './config-error.ts';
import { SWITCH, wholeNumber } from './value-types.ts';
import type { ValuesOf, Variables } from './variable.ts';

/** Where the tokens come from. */
export type TokenSource =
  | { readonly kind: 'text'; readonly text: string }
  /**
   * `named`: TOKENS_FILE names it, so its absence is an error unless others let callers in; otherwise it is the default file, which may be
   * absent.
   */
  | { readonly kind: 'file'; readonly path: string; readonly named: boolean }
  /** The database that DATABASE_URL names. */
  | { readonly kind: 'database' };

/** Whether and how callers are authenticated. */
export interface AuthConfig {
  readonly enabled: boolean;
  /** Why it is on although AUTH_ENABLED does not say so, in words that follow "because". */
  readonly because?: string;
  /** Whether AUTH_ENABLED itself switches it off; if it is off without that, nothing has switched it on. */
  readonly isSwitchedOff: boolean;
  /** Whether everybody is meant to come without a token: AUTH_ENABLED and ALLOW_PUBLIC_WITHOUT_AUTH both say so. */
  readonly isOpenToAll: boolean;
  readonly tokens: TokenSource;
  /** One more token, for an admin who has no other token yet. */
  readonly adminToken?: string;
  /** What happens to tokens that are not secret: if others can come, they are refused. */
  readonly weakTokens: 'allow' | 'warn' | 'refuse';
  /** Refused credentials per minute and address; above it 429. */
  readonly failuresPerMinute: number;
}

export const AUTH_VARIABLES = {
  AUTH_ENABLED: {
    description:
      'Whether callers must authenticate: true, false, 1, 0, yes or no. Default: true if anything indicates that others will use this server or that there are tokens, else false.',
    example: 'true',
    schema: SWITCH.optional(),
  },
  ALLOW_PUBLIC_WITHOUT_AUTH: {
    description:
      'Must be true for AUTH_ENABLED=false to be accepted where anything indicates that others will use this server.',
    example: 'false',
    schema: SWITCH.default(false),
  },
  TOKENS_FILE: {
    description: 'The file that holds the tokens; tokens.example.json shows its format.',
    example: 'tokens.json',
    schema: z.string().optional(),
  },
  AUTH_TOKENS: {
    description:
      'The JSON of a token file as text, which is used instead of TOKENS_FILE; or a single token of 20 or more characters, for one user called owner.',
    example: '{"tok_change_me":{"userId":"me"}}',
    schema: z.string().optional(),
  },
  TOKENS_STORE: {
    description:
      'Where the tokens are kept: file (TOKENS_FILE or AUTH_TOKENS), or database (the one that DATABASE_URL names).',
    example: 'file',
    schema: z.enum(['file', 'database'], 'must be file or database').default('file'),
  },
  ADMIN_TOKEN: {
    description:
      'A token of 20 or more characters that opens /admin, in addition to all other tokens. With it, the server can start without any other token.',
    example: 'a-long-secret-of-your-own',
    schema: z
      .string()
      .regex(/^[\x21-\x7e]{20,}$/, 'must be 20 or more printable characters without spaces')
      .optional(),
  },
  ALLOW_WEAK_TOKENS: {
    description:
      'Whether the server starts in public mode with short tokens and with those of the documentation. For trials and tests.',
    example: 'false',
    schema: SWITCH.default(false),
  },
  MCP_TOKEN: {
    description: "The token of the stdio server's user, when AUTH_ENABLED=true.",
    example: 'tok_change_me',
    schema: z.string().optional(),
  },
  AUTH_FAILURES_PER_MINUTE: {
    description:
      'How many different wrong credentials an address may send a minute; more are answered with 429.',
    example: '60',
    schema: wholeNumber(60, 1, 1_000_000),
  },
} as const satisfies Variables;

type Values = ValuesOf<typeof AUTH_VARIABLES>;

/** What decides about authentication besides the variables of this group. */
export interface AuthCircumstances {
  /** Whether the server listens for others than this machine. */
  readonly publicMode: boolean;
  /** The sign that others are meant to come, in words that follow "because"; undefined if there is none. */
  readonly invitation: string | undefined;
  /** Whether the default token file is there. */
  readonly hasTokenFile: boolean;
  /** Whether users sign in at another server. */
  readonly hasProvider: boolean;
}

/**
 * Decides whether and how callers of the HTTP server are authenticated.
 * @throws {ConfigError} when the server would be open by mistake, or two places for the tokens are named
 */
export function authOf(
  values: Values,
  { publicMode, invitation, hasTokenFile, hasProvider }: AuthCircumstances,
): AuthConfig {
  if (values.TOKENS_STORE === 'database' && (values.AUTH_TOKENS ?? values.TOKENS_FILE) !== undefined)
    throw new ConfigError(
      'TOKENS_STORE=database and AUTH_TOKENS or TOKENS_FILE name two places for the tokens. Remove one of them.',
    );
  const because =
    invitation ?? findTokens(values, hasTokenFile) ?? (hasProvider ? 'OAUTH_ISSUER is set' : undefined);
  const enabled = values.AUTH_ENABLED ?? because !== undefined;
  if (invitation !== undefined && !enabled && !values.ALLOW_PUBLIC_WITHOUT_AUTH) {
    throw new ConfigError(
      `AUTH_ENABLED=false would open this server to everybody who can reach it, and others are expected to use it, because ${invitation}. ` +
        'Remove AUTH_ENABLED, or change that, or set ALLOW_PUBLIC_WITHOUT_AUTH=true if everybody may use the server.',
    );
  }
  return {
    enabled,
    ...(values.AUTH_ENABLED === undefined && because !== undefined && { because }),
    isSwitchedOff: values.AUTH_ENABLED === false,
    isOpenToAll: !enabled && values.ALLOW_PUBLIC_WITHOUT_AUTH,
    tokens: tokenSourceOf(values),
    ...(values.ADMIN_TOKEN !== undefined && { adminToken: values.ADMIN_TOKEN }),
    weakTokens: weakTokensOf(values, { publicMode, invitation }),
    failuresPerMinute: values.AUTH_FAILURES_PER_MINUTE,
  };
}

/** Finds a sign that somebody has made tokens, in words that follow "because": nobody makes them for a server that is meant to be open. */
function findTokens(
  { AUTH_TOKENS, TOKENS_FILE, TOKENS_STORE, ADMIN_TOKEN }: Values,
  hasTokenFile: boolean,
): string | undefined {
  if (TOKENS_STORE === 'database') return 'TOKENS_STORE is database';
  if (ADMIN_TOKEN !== undefined) return 'ADMIN_TOKEN is set';
  if (AUTH_TOKENS !== undefined) return 'AUTH_TOKENS is set';
  if (TOKENS_FILE !== undefined) return 'TOKENS_FILE is set';
  return hasTokenFile ? `there is a ${DEFAULT_TOKENS_FILE}` : undefined;
}

/** The token file if no variable names one. */
export const DEFAULT_TOKENS_FILE = 'tokens.json';

/** What happens to tokens that are not secret: in public mode they are refused, and if a proxy may bring others, they are warned of. */
function weakTokensOf(
  { ALLOW_WEAK_TOKENS }: Values,
  { publicMode, invitation }: Pick<AuthCircumstances, 'publicMode' | 'invitation'>,
): AuthConfig['weakTokens'] {
  if (publicMode && !ALLOW_WEAK_TOKENS) return 'refuse';
  return publicMode || invitation !== undefined ? 'warn' : 'allow';
}

/** Where the tokens are: inline ones win over a file. */
export function tokenSourceOf({ AUTH_TOKENS, TOKENS_FILE, TOKENS_STORE }: Values): TokenSource {
  if (TOKENS_STORE === 'database') return { kind: 'database' };
  if (AUTH_TOKENS !== undefined) return { kind: 'text', text: AUTH_TOKENS };
  return { kind: 'file', path: TOKENS_FILE ?? DEFAULT_TOKENS_FILE, named: TOKENS_FILE !== undefined };
}

/** The environment, parsed once with zod into a frozen, grouped configuration. Nothing else describes a variable. */
import { isIP } from 'node:net';
import { config as loadDotenv } from 'dotenv';
import { z } from 'zod';
import { deepFreeze } from '../deep-freeze.ts';
import { LOG_LEVELS, type LogLevel } from '../log.ts';

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

/** Which Host and Origin headers are let in. */
export interface OriginConfig {
  /** The origin that clients see, such as `https://my-app.example`; absent when nobody said. */
  readonly publicUrl?: string;
  /** Host header values besides the loopback names; `any` when there is nothing to compare with. */
  readonly hosts: readonly string[] | 'any';
  /** Origin header values besides loopback ones. */
  readonly origins: readonly string[];
  /** Whether X-Forwarded-* of the peer counts. */
  readonly trustProxy: boolean;
}

/** What bounds what clients can use up. */
export interface LimitsConfig {
  readonly maxBodyBytes: number;
  readonly maxSessions: number;
  readonly maxSessionsPerUser: number;
  readonly sessionIdleMs: number;
}

/** The configuration of the HTTP server. */
export interface Config {
  readonly host: string;
  readonly port: number;
  /** Reachable by others than this machine: NODE_ENV=production, Replit, or a HOST that is not loopback. */
  readonly publicMode: boolean;
  /** A deployment, where a token made up at the start would be lost with the next restart. */
  readonly production: boolean;
  readonly auth: AuthConfig;
  readonly origin: OriginConfig;
  readonly limits: LimitsConfig;
  readonly sseEnabled: boolean;
  readonly keepAliveMs: number;
  readonly shutdownGraceMs: number;
  readonly logLevel: LogLevel;
}

/** The configuration of the stdio server: no network, so the toggle is off unless it is switched on. */
export interface StdioConfig {
  readonly auth: Pick<AuthConfig, 'enabled' | 'tokens'>;
  /** The token of the one user of this process. */
  readonly token: string | undefined;
  readonly logLevel: LogLevel;
}

/** A configuration that cannot be used. The message names every bad variable and never holds a value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** The environment variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The environment with what a `.env` file in the working directory adds; what is set already wins.
 * @throws {ConfigError} when the file is there and cannot be read
 */
export function readEnvironment(environment: Environment): Environment {
  const merged: Record<string, string> = {};
  // An empty value counts as not set, here too.
  for (const [name, value = ''] of Object.entries(environment)) if (value.trim() !== '') merged[name] = value;
  // Said here, or dotenv would take these from DOTENV_… variables: overriding, and words on stdout.
  const { error } = loadDotenv({ quiet: true, debug: false, override: false, processEnv: merged });
  if (error !== undefined && error.code !== 'NOT_FOUND_DOTENV_ENVIRONMENT' && !isMissing(error)) {
    throw new ConfigError('The file .env cannot be read; make it readable or remove it.', { cause: error });
  }
  return merged;
}

/**
 * Parses the variables of the HTTP server.
 * @throws {ConfigError} listing every bad variable with what is allowed
 */
export function parseConfig(environment: Environment): Config {
  const values = parseVariables(environment);
  const onReplit = values.REPL_ID !== undefined;
  const production = values.NODE_ENV === 'production' || values.REPLIT_DEPLOYMENT !== undefined;
  const publicMode = production || onReplit || (values.HOST !== undefined && !isLoopbackHost(values.HOST));
  const authEnabled = values.AUTH_ENABLED ?? publicMode;
  if (publicMode && !authEnabled && !values.ALLOW_PUBLIC_WITHOUT_AUTH) {
    throw new ConfigError(
      'AUTH_ENABLED=false would open this server to everybody who can reach it. Remove AUTH_ENABLED, or listen on ' +
        'loopback (HOST=127.0.0.1 without NODE_ENV=production), or set ALLOW_PUBLIC_WITHOUT_AUTH=true if that is meant.',
    );
  }
  // What clients may call the server: the first is the one it tells them.
  const named = values.PUBLIC_URL === undefined ? [] : [values.PUBLIC_URL];
  const ownOrigins = [...new Set([...named, ...replitOrigins(values)])];
  const [publicUrl] = ownOrigins;
  const hosts = [...values.ALLOWED_HOSTS, ...ownOrigins.map((origin) => new URL(origin).host)];

  return deepFreeze<Config>({
    host: values.HOST ?? (publicMode ? '0.0.0.0' : '127.0.0.1'),
    port: values.PORT,
    publicMode,
    production,
    auth: {
      enabled: authEnabled,
      tokens: tokenSource(values),
      failuresPerMinute: values.AUTH_FAILURES_PER_MINUTE,
    },
    origin: {
      ...(publicUrl !== undefined && { publicUrl }),
      hosts: publicMode && hosts.length === 0 ? 'any' : hosts,
      origins: [...values.ALLOWED_ORIGINS, ...ownOrigins],
      trustProxy: values.TRUST_PROXY ?? onReplit,
    },
    limits: {
      maxBodyBytes: values.MAX_BODY_BYTES,
      maxSessions: values.MAX_SESSIONS,
      maxSessionsPerUser: values.MAX_SESSIONS_PER_USER,
      sessionIdleMs: values.SESSION_IDLE_SECONDS * 1000,
    },
    sseEnabled: values.SSE_ENABLED,
    keepAliveMs: values.SSE_KEEPALIVE_SECONDS * 1000,
    shutdownGraceMs: values.SHUTDOWN_GRACE_SECONDS * 1000,
    logLevel: values.LOG_LEVEL,
  });
}

/**
 * Parses the variables of the stdio server.
 * @throws {ConfigError} listing every bad variable with what is allowed
 */
export function parseStdioConfig(environment: Environment): StdioConfig {
  const values = parseVariables(environment);
  return deepFreeze<StdioConfig>({
    auth: { enabled: values.AUTH_ENABLED ?? false, tokens: tokenSource(values) },
    token: values.MCP_TOKEN,
    logLevel: values.LOG_LEVEL,
  });
}

/** Whether a HOST value is reachable from this machine only. */
export function isLoopbackHost(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  return bare === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'));
}

/** A whole number within bounds. */
function wholeNumber(fallback: number, min: number, max: number) {
  const message = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,15}$/, message)
    .transform(Number)
    .pipe(z.number().min(min, message).max(max, message))
    .default(fallback);
}

/** A switch. Anything but the six words is refused, so that a typo never switches authentication off. */
const SWITCH = z
  .string()
  .toLowerCase()
  .pipe(z.enum(['true', 'false', '1', '0', 'yes', 'no'], 'must be true or false'))
  .transform((word) => word === 'true' || word === '1' || word === 'yes');

/** A comma-separated list. */
function list<Item extends z.ZodType<string, string>>(item: Item) {
  return z
    .string()
    .transform((text) =>
      text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    )
    .pipe(z.array(item))
    .default([]);
}

/** `scheme://host[:port]`, as browsers send it in the Origin header. */
const ORIGIN = z.string().transform((text, context) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isOrigin =
    url !== undefined && /^https?:$/.test(url.protocol) && /^\w+:\/\/[^/\\?#@]+\/?$/.test(text);
  if (!isOrigin) context.addIssue('must be an origin such as https://my-app.example, without a path');
  return url?.origin ?? '';
});

/** `host[:port]`, as clients send it in the Host header. */
const HOST_HEADER = z
  .string()
  .regex(
    /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?$/,
    'must be host names with or without a port, separated by commas',
  )
  .toLowerCase();

const VARIABLES = z.object({
  HOST: z
    .string()
    .regex(/^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.:_-]+)$/, 'must be a host name or an IP address')
    // Brackets belong to URLs: nobody can listen on `[::1]`.
    .transform((host) => host.replace(/^\[(.*)\]$/, '$1'))
    .optional(),
  PORT: wholeNumber(8000, 0, 65_535),
  NODE_ENV: z.string().optional(),
  AUTH_ENABLED: SWITCH.optional(),
  ALLOW_PUBLIC_WITHOUT_AUTH: SWITCH.default(false),
  TOKENS_FILE: z.string().optional(),
  AUTH_TOKENS: z.string().optional(),
  MCP_TOKEN: z.string().optional(),
  PUBLIC_URL: ORIGIN.optional(),
  ALLOWED_HOSTS: list(HOST_HEADER),
  ALLOWED_ORIGINS: list(ORIGIN),
  TRUST_PROXY: SWITCH.optional(),
  SSE_ENABLED: SWITCH.default(true),
  SSE_KEEPALIVE_SECONDS: wholeNumber(15, 1, 3600),
  SESSION_IDLE_SECONDS: wholeNumber(1800, 1, 604_800),
  MAX_SESSIONS: wholeNumber(10_000, 1, 1_000_000),
  MAX_SESSIONS_PER_USER: wholeNumber(100, 1, 1_000_000),
  MAX_BODY_BYTES: wholeNumber(4_194_304, 1024, 268_435_456),
  AUTH_FAILURES_PER_MINUTE: wholeNumber(60, 1, 1_000_000),
  SHUTDOWN_GRACE_SECONDS: wholeNumber(10, 0, 3600),
  LOG_LEVEL: z
    .string()
    .toLowerCase()
    .pipe(z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`))
    .default('info'),
  REPL_ID: z.string().optional(),
  REPLIT_DEPLOYMENT: z.string().optional(),
  REPLIT_DOMAINS: z.string().optional(),
  REPLIT_DEV_DOMAIN: z.string().optional(),
});

/** Parses every variable; an empty one counts as not set. */
function parseVariables(environment: Environment): z.output<typeof VARIABLES> {
  const given = Object.keys(VARIABLES.shape).flatMap((name) => {
    const value = environment[name]?.trim() ?? '';
    return value === '' ? [] : [[name, value] as const];
  });
  const parsed = VARIABLES.safeParse(Object.fromEntries(given));
  if (parsed.success) return parsed.data;
  const problems = new Map(parsed.error.issues.map((issue) => [String(issue.path[0]), issue.message]));
  const lines = [...problems].map(([name, message]) => `  ${name} ${message}`);
  throw new ConfigError(`The configuration cannot be used:\n${lines.join('\n')}`);
}

/** The inline tokens win over a file. */
function tokenSource({ AUTH_TOKENS, TOKENS_FILE }: z.output<typeof VARIABLES>): TokenSource {
  if (AUTH_TOKENS !== undefined) return { kind: 'text', text: AUTH_TOKENS };
  return { kind: 'file', path: TOKENS_FILE ?? 'tokens.json', named: TOKENS_FILE !== undefined };
}

/** The origins of a Replit workspace or deployment, a linked domain's too: Replit terminates TLS in front of it. */
function replitOrigins({ REPLIT_DOMAINS, REPLIT_DEV_DOMAIN }: z.output<typeof VARIABLES>): string[] {
  const domains = (REPLIT_DOMAINS ?? REPLIT_DEV_DOMAIN ?? '').split(',').map((domain) => domain.trim());
  return domains
    .filter((domain) => HOST_HEADER.safeParse(domain).success)
    .map((domain) => `https://${domain.toLowerCase()}`);
}

/** Whether a file system error says that nothing is there. */
function isMissing(error: Error): boolean {
  return 'code' in error && error.code === 'ENOENT';
}

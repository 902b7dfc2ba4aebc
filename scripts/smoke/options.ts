/** Parses the command line and the environment of the smoke test. */
import { isLoopbackHost } from '../../src/config/network.ts';
import { isHelpWanted } from '../help.mjs';
import { CommandError } from '../token/command-error.ts';
import { parseOptions as parseTable } from '../token/options.ts';

/** What to test, and how. */
export interface SmokeOptions {
  /** Where the deployment is: its origin, and the path that a proxy puts it under, if any. Ends in a slash. */
  readonly url: URL;
  readonly token: string | undefined;
  /** A token of another user. */
  readonly token2: string | undefined;
  /** The user that `token` must belong to. */
  readonly expectUser: string | undefined;
  /** Whether the deployment is meant to be open to everybody. */
  readonly allowOpen: boolean;
  /** Whether the token may be sent unencrypted to another machine. */
  readonly allowHttp: boolean;
  readonly mcpRemote: boolean;
  /** Whether to sign in as a client and its user would. */
  readonly signIn: boolean;
  /** Whether to keep a session while the server is restarted. */
  readonly restart: boolean;
  /** How many instances are behind the URL; undefined when that is not checked. */
  readonly instances: number | undefined;
  /** How long to hold the idle streams; undefined when that is not checked. Milliseconds. */
  readonly idleMs: number | undefined;
  /** The deployment's SSE_KEEPALIVE_SECONDS, in milliseconds. */
  readonly heartbeatMs: number;
  /** How long any one answer may take. Milliseconds. */
  readonly timeoutMs: number;
  /** The deployment's MAX_BODY_BYTES. */
  readonly maxBodyBytes: number;
  /** Whether this process accepts any TLS certificate. */
  readonly takesAnyCertificate: boolean;
  readonly json: boolean;
  /** The file to write the result to as JUnit XML, too. */
  readonly junit: string | undefined;
}

/** The command line cannot be used. The message never holds a value. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * Parses the command line; the environment fills in what it leaves out. Returns undefined when it asks for help.
 * @throws {UsageError} saying what is wrong
 */
export function parseOptions(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): SmokeOptions | undefined {
  if (isHelpWanted(args)) return undefined;
  const { texts, switches, positionals } = readArguments(args);
  const [address = environment['SMOKE_URL'] ?? '', ...others] = positionals;
  if (others.length > 0) throw new UsageError('Give one URL.');
  const url = parseUrl(address);
  const token = parseToken('--token', texts['token'] ?? environment['SMOKE_TOKEN']);
  const token2 = parseToken('--token2', texts['token2'] ?? environment['SMOKE_TOKEN2']);
  const isExposed = url.protocol === 'http:' && !isLocal(url) && (token ?? token2) !== undefined;
  if (isExposed && !switches.has('allow-http')) {
    throw new UsageError(
      'Over http:// the token would travel unencrypted. Use https://, or add --allow-http in a network of your own.',
    );
  }
  return {
    url,
    token,
    token2,
    expectUser: texts['expect-user'],
    allowOpen: switches.has('allow-open'),
    allowHttp: switches.has('allow-http'),
    mcpRemote: switches.has('mcp-remote'),
    signIn: switches.has('sign-in'),
    restart: switches.has('restart'),
    instances: texts['instances'] === undefined ? undefined : parseInstances(texts['instances']),
    idleMs: texts['idle'] === undefined ? undefined : parseSeconds('--idle', texts['idle']),
    heartbeatMs: parseSeconds('--heartbeat', texts['heartbeat'] ?? '15'),
    timeoutMs: parseSeconds('--timeout', texts['timeout'] ?? '10'),
    maxBodyBytes: parseBytes('--max-body', texts['max-body'] ?? String(DEFAULT_BODY_BYTES)),
    // Node looks for this very value.
    takesAnyCertificate: environment['NODE_TLS_REJECT_UNAUTHORIZED'] === '0',
    json: switches.has('json'),
    junit: texts['junit'],
  };
}

/** Splits the command line into options and positional arguments. */
function readArguments(args: readonly string[]) {
  try {
    return parseTable(args, {
      subject: 'The smoke test',
      help: '',
      texts: [
        'token',
        'token2',
        'expect-user',
        'idle',
        'instances',
        'heartbeat',
        'timeout',
        'max-body',
        'junit',
      ],
      switches: ['mcp-remote', 'sign-in', 'restart', 'allow-open', 'allow-http', 'json'],
    });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new UsageError(error.message.trim(), { cause: error });
  }
}

/** Parses the URL of the deployment; an endpoint's path at its end is dropped. */
function parseUrl(text: string): URL {
  if (text === '') throw new UsageError('Give the URL of the deployment.');
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new UsageError('The URL must begin with https:// or http://, such as http://localhost:8000.');
  if (url.search !== '' || url.hash !== '' || url.username !== '')
    throw new UsageError('Give only the address of the server, such as https://my-app.example.');
  const path = url.pathname.replace(/(\/(mcp|sse))?\/*$/, '/');
  return new URL(path, url.origin);
}

/** Parses a token, which must be fit for a header. */
function parseToken(name: string, text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (!/^[\x21-\x7e]+$/.test(text))
    throw new UsageError(`The value of ${name} contains a space or a character that a token cannot contain.`);
  return text;
}

/** Parses a positive number of seconds, and returns it in milliseconds. */
function parseSeconds(name: string, text: string): number {
  const seconds = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || seconds <= 0 || seconds > 86_400)
    throw new UsageError(`${name} takes a number of seconds from above 0 to 86400.`);
  return seconds * 1000;
}

/** Parses the number of instances. Beyond 50, more calls at once would tell nothing more. */
function parseInstances(text: string): number {
  const instances = Number(text);
  if (!/^\d+$/.test(text) || instances < 1 || instances > 50)
    throw new UsageError('--instances takes a number from 1 to 50.');
  return instances;
}

/** The server's default of MAX_BODY_BYTES. */
const DEFAULT_BODY_BYTES = 4 * 1024 * 1024;
/** The largest body that is sent to any deployment. */
const MOST_BODY_BYTES = 64 * 1024 * 1024;

/** Parses the size of a body in bytes. */
function parseBytes(name: string, text: string): number {
  const bytes = Number(text);
  if (!/^\d+$/.test(text) || bytes < 1024 || bytes > MOST_BODY_BYTES)
    throw new UsageError(`${name} takes a number of bytes from 1024 to ${MOST_BODY_BYTES}.`);
  return bytes;
}

/** Whether a URL points to this machine. */
export function isLocal({ hostname }: URL): boolean {
  return isLoopbackHost(hostname);
}

/** The command line and environment of the smoke test. */
import { isLoopbackHost } from '../../src/config/network.ts';
import { isHelpWanted } from '../help.mjs';
import { CommandError } from '../token/command-error.ts';
import { parseOptions as parseTable } from '../token/options.ts';

/** What is to be tested, and how. */
export interface SmokeOptions {
  /** Where the deployment is: its origin, and the path that a proxy in front of it adds, if one does. Ends in a slash. */
  readonly url: URL;
  readonly token: string | undefined;
  /** A token of another user. */
  readonly token2: string | undefined;
  /** The user that calls with `token` must run as. */
  readonly expectUser: string | undefined;
  /** Whether the deployment is meant to be open to everybody. */
  readonly allowOpen: boolean;
  /** Whether the token may travel unencrypted to another machine. */
  readonly allowHttp: boolean;
  readonly mcpRemote: boolean;
  /** Whether to sign in as a client and its user do. */
  readonly signIn: boolean;
  /** Whether a session is to be kept while the server is restarted. */
  readonly restart: boolean;
  /** How many instances answer behind the URL; undefined where that is not to be checked. */
  readonly instances: number | undefined;
  /** How long to hold a stream. */
  readonly idleMs: number | undefined;
  /** The deployment's SSE_KEEPALIVE_SECONDS. */
  readonly heartbeatMs: number;
  /** How long any one answer may take. */
  readonly timeoutMs: number;
  /** The deployment's MAX_BODY_BYTES. */
  readonly maxBodyBytes: number;
  /** Whether this process has been told to take any certificate. */
  readonly takesAnyCertificate: boolean;
  readonly json: boolean;
  /** Where to write the run as JUnit's XML too. */
  readonly junit: string | undefined;
}

/** A command line that cannot be used; the message never holds a value. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * Reads the command line; what it leaves out is taken from the environment.
 * @throws {UsageError} saying what is wrong; `undefined` stands for a request for help
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
      'Over http:// the token would travel unencrypted. Use https://, or say --allow-http in a network of your own.',
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
    // The one value that Node looks for.
    takesAnyCertificate: environment['NODE_TLS_REJECT_UNAUTHORIZED'] === '0',
    json: switches.has('json'),
    junit: texts['junit'],
  };
}

/** Splits the command line into options and the rest. */
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

/** Where the server is; the last part of a connector's URL is taken off. */
function parseUrl(text: string): URL {
  if (text === '') throw new UsageError('Give the URL of the deployment.');
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new UsageError('The URL must begin with https:// or http://, such as http://localhost:8000.');
  if (url.search !== '' || url.hash !== '' || url.username !== '')
    throw new UsageError('Give the address alone, such as https://my-app.example.');
  const path = url.pathname.replace(/(\/(mcp|sse))?\/*$/, '/');
  return new URL(path, url.origin);
}

/** A token as it goes into a header. */
function parseToken(name: string, text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (!/^[\x21-\x7e]+$/.test(text))
    throw new UsageError(`The value of ${name} holds a blank or a character that no token has.`);
  return text;
}

/** A positive number of seconds, as milliseconds. */
function parseSeconds(name: string, text: string): number {
  const seconds = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || seconds <= 0 || seconds > 86_400)
    throw new UsageError(`${name} takes a number of seconds from above 0 to 86400.`);
  return seconds * 1000;
}

/** How many instances there are; more than a few dozen calls at once say nothing that these do not. */
function parseInstances(text: string): number {
  const instances = Number(text);
  if (!/^\d+$/.test(text) || instances < 1 || instances > 50)
    throw new UsageError('--instances takes a number from 1 to 50.');
  return instances;
}

/** What MAX_BODY_BYTES is by default. */
const DEFAULT_BODY_BYTES = 4 * 1024 * 1024;
/** More is not sent to any deployment. */
const MOST_BODY_BYTES = 64 * 1024 * 1024;

/** A number of bytes for a body. */
function parseBytes(name: string, text: string): number {
  const bytes = Number(text);
  if (!/^\d+$/.test(text) || bytes < 1024 || bytes > MOST_BODY_BYTES)
    throw new UsageError(`${name} takes a number of bytes from 1024 to ${MOST_BODY_BYTES}.`);
  return bytes;
}

/** Whether a URL leads to this machine. */
export function isLocal({ hostname }: URL): boolean {
  return isLoopbackHost(hostname);
}

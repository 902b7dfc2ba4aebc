/** The command line and environment of the smoke test. */
import { parseArgs } from 'node:util';
import { isLoopbackHost } from '../../src/config/network.ts';

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
  const { values, positionals } = readArguments(args);
  if (values.help === true) return undefined;
  const [address = environment['SMOKE_URL'] ?? '', ...others] = positionals;
  if (others.length > 0) throw new UsageError('Give one URL.');
  const url = parseUrl(address);
  const token = parseToken('--token', values.token ?? environment['SMOKE_TOKEN']);
  const token2 = parseToken('--token2', values.token2 ?? environment['SMOKE_TOKEN2']);
  const isExposed = url.protocol === 'http:' && !isLocal(url) && (token ?? token2) !== undefined;
  if (isExposed && values['allow-http'] !== true) {
    throw new UsageError(
      'Over http:// the token would travel unencrypted. Use https://, or say --allow-http in a network of your own.',
    );
  }
  return {
    url,
    token,
    token2,
    expectUser: values['expect-user'],
    allowOpen: values['allow-open'] ?? false,
    allowHttp: values['allow-http'] ?? false,
    mcpRemote: values['mcp-remote'] ?? false,
    signIn: values['sign-in'] ?? false,
    restart: values.restart ?? false,
    instances: values.instances === undefined ? undefined : parseInstances(values.instances),
    idleMs: values.idle === undefined ? undefined : parseSeconds('--idle', values.idle),
    heartbeatMs: parseSeconds('--heartbeat', values.heartbeat ?? '15'),
    timeoutMs: parseSeconds('--timeout', values.timeout ?? '10'),
    maxBodyBytes: parseBytes('--max-body', values['max-body'] ?? String(DEFAULT_BODY_BYTES)),
    // The one value that Node looks for.
    takesAnyCertificate: environment['NODE_TLS_REJECT_UNAUTHORIZED'] === '0',
    json: values.json ?? false,
    junit: values.junit,
  };
}

/** Splits the command line into options and the rest. */
function readArguments(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        token: text,
        token2: text,
        'expect-user': text,
        idle: text,
        instances: text,
        heartbeat: text,
        timeout: text,
        'max-body': text,
        junit: text,
        'mcp-remote': flag,
        'sign-in': flag,
        restart: flag,
        'allow-open': flag,
        'allow-http': flag,
        json: flag,
        help: { ...flag, short: 'h' },
      },
    });
  } catch {
    // Node's message quotes the argument, which may be a token with the dash of an option.
    throw new UsageError('There is an unknown option, or one without its value.');
  }
}

/** Where the server is; the last part of a connector's URL is taken off. */
function parseUrl(text: string): URL {
  if (text === '') throw new UsageError('Give the URL of the deployment.');
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new UsageError('The URL must begin with https:// or http://.');
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

/** The steps of the way to a server, in order: each needs the one before it, and a failure says what to do. */
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { getDefaultEnvironment, StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { isLoopbackHost } from '../../src/config/network.ts';
import { packageFolder, readPackage } from '../../src/package.ts';
import { connectV1, type ToolClient } from '../smoke/clients.ts';
import { ask, explanationOf, type Target, unexpected } from '../smoke/http.ts';
import { explainNetworkError } from '../smoke/network-error.ts';
import { CheckFailure, withDeadline } from '../smoke/outcome.ts';
import { checkTls } from '../smoke/reachability.ts';
import type { Passed, Step } from '../smoke/steps.ts';
import { readConfiguration } from './configuration.ts';
import { chooseEntry, type Known, type LocalWay, type RemoteWay, type Way, wayOf } from './entry.ts';
import { requireSendable, secretsOf, shownAddress, shownCommand } from './hidden.ts';

/** What a walk is given, and what its steps find. */
export interface Walk extends Known {
  readonly file: string;
  readonly entry: string | undefined;
  readonly timeoutMs: number;
  way: Way | undefined;
  client: ToolClient | undefined;
}

/** How the doctor names itself to a server. */
const INFO = { name: 'doctor', version: '1.0.0' };

/** A step of the walk. */
interface WalkStep extends Step {
  /** Why it does not apply to a way; false when it applies. */
  readonly unless?: (way: Way | undefined) => string | false;
  readonly check: (walk: Walk) => Promise<Passed>;
}

const isLocal = (way: Way | undefined): string | false =>
  way?.kind === 'local' && 'the client starts the server itself';
const isRemote = (way: Way | undefined): string | false =>
  way?.kind === 'remote' && 'the client connects by HTTP';
const isPlain = (way: Way | undefined): string | false =>
  isLocal(way) || (way?.kind === 'remote' && way.url.protocol === 'http:' && 'plain HTTP');

/** The steps, in their order. */
export const WALK: readonly WalkStep[] = [
  { id: 'file', title: 'File is read, and an entry found in it', check: findWay },
  { id: 'command', title: 'Command of the entry is there', unless: isRemote, check: checkCommand },
  { id: 'dns', title: 'Host name is known', unless: isLocal, check: checkDns },
  { id: 'tcp', title: 'Something listens there', unless: isLocal, check: checkTcp },
  { id: 'tls', title: 'Connection is encrypted', unless: isPlain, check: async (walk) => checkTls(targetOf(walk)) },
  { id: 'http', title: 'HTTP is answered', unless: isLocal, check: checkHttp },
  { id: 'credential', title: 'Credential is accepted', unless: isLocal, check: checkCredential },
  { id: 'initialize', title: 'Client connects', check: checkInitialize },
  { id: 'tools', title: 'Tools are listed', check: checkTools },
]; // prettier-ignore

/** Reads the file, and finds the way of the entry. */
async function findWay(walk: Walk): Promise<Passed> {
  const configuration = await readConfiguration(walk.file);
  const entry = chooseEntry(configuration, walk.entry, readPackage().name);
  const way = wayOf(entry, walk);
  walk.way = way;
  for (const secret of secretsOf(way)) walk.hide(secret);
  return { detail: `${way.name}, ${way.kind === 'local' ? 'a command' : shownAddress(way.url)}` };
}

/** Checks that the command exists, and so do the files that it names. */
async function checkCommand(walk: Walk): Promise<Passed> {
  const { command, args, cwd } = localWay(walk);
  const folders = command.includes(path.sep) ? [''] : (process.env['PATH'] ?? '').split(path.delimiter);
  const endings = process.platform === 'win32' ? ['', '.exe', '.cmd'] : [''];
  const isThere = folders.some((folder) =>
    endings.some((ending) => existsSync(path.join(folder, command + ending))),
  );
  if (!isThere)
    throw new CheckFailure(
      `The program ${shownCommand(command)} is not in the PATH of this terminal.`,
      'Install it, or write its whole path: desktop clients often have a shorter PATH than a terminal.',
    );
  const missing = args.find(
    (argument) => path.isAbsolute(argument) && /\.[cm]?js$/.test(argument) && !existsSync(argument),
  );
  if (missing !== undefined)
    throw new CheckFailure(
      `${missing} is not there.`,
      'Build first (npm run build), and write the whole path of this folder.',
    );
  if (cwd !== undefined && !existsSync(cwd))
    throw new CheckFailure(`The folder ${cwd} is not there.`, 'Correct cwd.');
  return { detail: command };
}

/** Checks that the host name has an address. */
async function checkDns(walk: Walk): Promise<Passed> {
  const { hostname } = remoteWay(walk).url;
  try {
    const { address } = await withDeadline(lookup(hostname.replaceAll(/[[\]]/g, '')), walk.timeoutMs, () =>
      Object.assign(new Error('late'), { code: 'EAI_AGAIN' }),
    );
    return { detail: address };
  } catch (error) {
    throw explainNetworkError(error, walk.timeoutMs);
  }
}

/** Checks that a TCP connection can be opened. */
async function checkTcp(walk: Walk): Promise<Passed> {
  const { hostname, port, protocol } = remoteWay(walk).url;
  const number = Number(port || (protocol === 'https:' ? 443 : 80));
  const socket = connect({ host: hostname.replaceAll(/[[\]]/g, ''), port: number });
  const opened = once(socket, 'connect');
  try {
    await withDeadline(opened, walk.timeoutMs, () => Object.assign(new Error('late'), { code: 'ETIMEDOUT' }));
    return { detail: `port ${number}` };
  } catch (error) {
    throw explainNetworkError(error, walk.timeoutMs);
  } finally {
    socket.destroy();
  }
}

/** Checks that an HTTP server answers, and that the answer is no waiting page. */
async function checkHttp(walk: Walk): Promise<Passed> {
  const { url } = remoteWay(walk);
  const answer = await ask(targetOf(walk), '/health');
  // Servers other than this one have no such path.
  if (answer.status !== 404 && answer.status !== 401 && answer.status !== 200)
    throw unexpected(answer, '200 on /health');
  if (url.protocol === 'http:' && !isLoopbackHost(url.hostname))
    return { detail: `status ${answer.status}; unencrypted: anybody on the way can read the token` };
  return { detail: `status ${answer.status} on /health` };
}

/** Checks that the server accepts the credential that the client sends. */
async function checkCredential(walk: Walk): Promise<Passed> {
  const { headers } = remoteWay(walk);
  requireSendable(headers);
  const answer = await ask(targetOf(walk), '/tools', { headers });
  if (answer.status === 200) return { detail: Object.keys(headers).length === 0 ? 'none is needed' : 'yes' };
  if (answer.status === 404) return { detail: 'not known: the server has no /tools' };
  const words = explanationOf(answer);
  if (answer.status !== 401 || words === undefined) throw unexpected(answer, '200 on /tools');
  const names = Object.keys(headers).join(', ');
  throw new CheckFailure(
    `The server says: ${words}`,
    names === ''
      ? 'The entry sends no header. "npm run connect" prints one that does; or sign in, where the client can.'
      : adviceOnHeaders(names),
  );
}

/** What to do about headers that the server refuses. Names the document about it where that exists: not in a package, nor after `init --drop-docs`. */
export function adviceOnHeaders(names: string, folder = packageFolder()): string {
  const document = 'docs/05_CLIENT_SETUP.md';
  const hasDocument = existsSync(path.join(folder, document));
  return `The entry sends ${names}.${hasDocument ? ` ${document} says for each answer of the server what to change.` : ''}`;
}

/** Connects as the client would. */
async function checkInitialize(walk: Walk): Promise<Passed> {
  const { way } = walk;
  if (way?.kind === 'local') return startLocal(walk, way);
  const { url, headers, isSse } = remoteWay(walk);
  const options = { requestInit: { headers } };
  const transport = isSse
    ? new SSEClientTransport(url, options)
    : new StreamableHTTPClientTransport(url, options);
  try {
    const client = await connectV1(transport, { ...walk, info: INFO });
    const { timeoutMs } = walk;
    walk.client = {
      ...client,
      async close() {
        // HTTP+SSE ends its session with its stream. A server that cannot end a session does not fail the walk.
        if (transport instanceof StreamableHTTPClientTransport)
          await withDeadline(transport.terminateSession(), timeoutMs, () => new Error('late')).catch(
            () => undefined,
          );
        await client.close();
      },
    };
  } catch (error) {
    if (!(error instanceof CheckFailure) || /\/(mcp|sse)\/?$/.test(url.pathname)) throw error;
    throw new CheckFailure(
      error.message,
      `The address ends in ${url.pathname}. The addresses of this server end in /mcp, or in /sse for older clients.`,
    );
  }
  return { detail: isSse ? 'over HTTP+SSE' : 'over Streamable HTTP' };
}

const LAST_CHARS = 600;

/** Starts the server as the client does, and connects over stdio. */
async function startLocal(walk: Walk, { command, args, env, cwd }: LocalWay): Promise<Passed> {
  const transport = new StdioClientTransport({
    command,
    args: [...args],
    env: { ...getDefaultEnvironment(), ...env },
    ...(cwd !== undefined && { cwd }),
    stderr: 'pipe',
  });
  let said = '';
  transport.stderr?.on('data', (text: Buffer) => (said = (said + text.toString()).slice(-LAST_CHARS)));
  try {
    walk.client = await connectV1(transport, { ...walk, info: INFO });
    return { detail: 'over stdio' };
  } catch (error) {
    const last = said.trim().split('\n').slice(-4).join('\n    ');
    const problem = error instanceof Error ? error.message : String(error);
    throw new CheckFailure(
      last === '' ? problem : `${problem} The program wrote:\n    ${last}`,
      'Run the command of the entry by hand; only MCP messages may be on its standard output.',
      { cause: error },
    );
  }
}

/** Checks that the client is offered tools. */
async function checkTools({ client, way }: Walk): Promise<Passed> {
  const tools = (await client?.listTools())?.tools ?? [];
  if (tools.length > 0) return { detail: tools.map(({ name }) => name).join(', ') };
  throw new CheckFailure(
    `${way?.name ?? 'The server'} offers this user no tools.`,
    "A tool with a scope is shown only to users who have that scope: check the token's scopes (npm run token -- list).",
  );
}

/** The target of plain requests: the entry's address without the path of the transport. */
function targetOf(walk: Walk): Target {
  const { url } = remoteWay(walk);
  const base = new URL(url.pathname.replace(/(\/(mcp|sse))?\/*$/, '/'), url.origin);
  return { url: base, token: undefined, timeoutMs: walk.timeoutMs };
}

/** The way of a walk over HTTP. */
function remoteWay({ way }: Walk): RemoteWay {
  if (way?.kind !== 'remote') throw new Error('A step runs before the one that it needs.');
  return way;
}

/** The way of a walk that starts a program. */
function localWay({ way }: Walk): LocalWay {
  if (way?.kind !== 'local') throw new Error('A step runs before the one that it needs.');
  return way;
}

/** The same through mcp-remote, started as Claude Desktop starts it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { getDefaultEnvironment, StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { connectV1 } from './clients.ts';
import { type Target, urlOf } from './http.ts';
import { CheckFailure } from './outcome.ts';
import { callTools, type Expectation, type Round } from './tools.ts';

/** How many times longer than a request it may take: it starts a program first. */
const START_FACTOR = 3;
const LAST_CHARS = 600;

/** Lists and calls the tools through a mcp-remote of this repository's own. */
export async function checkMcpRemote(
  target: Target,
  expected: Expectation,
  allowHttp: boolean,
): Promise<Round> {
  // A folder of its own: what mcp-remote remembers of earlier sign-ins must not count.
  const folder = await mkdtemp(path.join(os.tmpdir(), 'smoke-mcp-remote-'));
  const header = target.token === undefined ? [] : ['--header', 'Authorization:${AUTH_HEADER}'];
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [findMcpRemote(), urlOf(target, '/mcp').href, ...header, ...(allowHttp ? ['--allow-http'] : [])],
    env: {
      ...getDefaultEnvironment(),
      ...inherited('NODE_EXTRA_CA_CERTS'),
      MCP_REMOTE_CONFIG_DIR: folder,
      AUTH_HEADER: `Bearer ${target.token ?? ''}`,
    },
    stderr: 'pipe',
  });
  let said = '';
  transport.stderr?.on('data', (text: Buffer) => (said = (said + text.toString()).slice(-LAST_CHARS)));
  try {
    const client = await connectV1(transport, { timeoutMs: target.timeoutMs * START_FACTOR });
    return await callTools(client, expected);
  } catch (error) {
    if (!(error instanceof CheckFailure)) throw error;
    const words = said.trim().split('\n').slice(-3).join(' | ');
    throw new CheckFailure(`${error.message} mcp-remote said: ${words || 'nothing'}`, error.advice, {
      cause: error,
    });
  } finally {
    await transport.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The program of the installed package. */
function findMcpRemote(): string {
  try {
    return createRequire(import.meta.url).resolve('mcp-remote/dist/proxy.js');
  } catch (cause) {
    throw new CheckFailure('mcp-remote is not installed.', 'Run npm ci, without --omit=dev.', { cause });
  }
}

/** A variable that the child should have too, if it is set. */
function inherited(name: string): Record<string, string> {
  const value = process.env[name];
  return value === undefined ? {} : { [name]: value };
}

/** Connects through mcp-remote, started as Claude Desktop starts it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { getDefaultEnvironment, StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { packageFolder } from '../../src/package.ts';
import { connectV1 } from './clients.ts';
import { type Target, urlOf } from './http.ts';
import { CheckFailure } from './outcome.ts';
import type { Passed } from './steps.ts';
import { callTools, type Expectation } from './tools.ts';

/** How many times the usual timeout it may take, since a program has to start first. */
const START_FACTOR = 3;
const LAST_CHARS = 600;

/** Lists and calls the tools through the mcp-remote that is installed here. */
export async function checkMcpRemote(
  target: Target,
  expected: Expectation,
  allowHttp: boolean,
): Promise<Passed> {
  // A folder of its own, so that what mcp-remote remembers of earlier sign-ins has no effect.
  const folder = await mkdtemp(path.join(os.tmpdir(), 'smoke-mcp-remote-'));
  const header = target.token === undefined ? [] : ['--header', 'Authorization:${AUTH_HEADER}'];
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [
      findMcpRemote([packageFolder(), process.cwd()]),
      urlOf(target, '/mcp').href,
      ...header,
      ...(allowHttp ? ['--allow-http'] : []),
    ],
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

/**
 * Finds the program of mcp-remote in the first of these folders that has it: a checkout has it among its packages; where this server
 * is installed as a package itself, whoever runs the smoke test installs it in their own folder.
 * @throws {CheckFailure} saying how to install it
 */
export function findMcpRemote(folders: readonly string[]): string {
  for (const folder of folders) {
    try {
      return createRequire(path.join(folder, 'package.json')).resolve('mcp-remote/dist/proxy.js');
    } catch {
      // Another folder may have it.
    }
  }
  const [own = ''] = folders;
  throw new CheckFailure(
    'mcp-remote is not installed.',
    own.split(path.sep).includes('node_modules')
      ? 'Run "npm install mcp-remote" in this folder, and then this again.'
      : 'Run npm ci, without --omit=dev.',
  );
}

/** A variable that the child process inherits, if it is set. */
function inherited(name: string): Record<string, string> {
  const value = process.env[name];
  return value === undefined ? {} : { [name]: value };
}

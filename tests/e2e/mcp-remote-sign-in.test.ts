/** mcp-remote without a header signs its user in on the page; with a wrong one it ends in the server's words, and never in a sign-in. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect } from '@jest/globals';
import { testInCi } from '../support/in-ci.ts';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { bareEnvironment, createSandbox, ROOT, waitFor, waitForEnd } from '../support/process.ts';
import {
  type ServerProcess,
  startServer,
  TOKEN,
  waitForLog,
  WITH_TOKENS,
} from '../support/server-process.ts';
import { newSecret, sendForm, ticketOf } from '../support/sign-in.ts';
import { send } from '../support/raw-http.ts';

const sandbox = createSandbox();
afterEach(async () => sandbox.close());

/** What a server on loopback says where users can sign in. */
const SIGN_IN_LINE =
  'programs on this machine can sign in; Claude, ChatGPT and others need a PUBLIC_URL that they reach';

/** Starts a server on which users can sign in. */
const startSignIn = async (): Promise<ServerProcess> =>
  startServer(sandbox, { ...WITH_TOKENS, env: { ...WITH_TOKENS.env, SERVER_SECRET: newSecret() } });

const PROXY = path.join(ROOT, 'node_modules/mcp-remote/dist/proxy.js');

/** A run of mcp-remote. */
interface Remote {
  readonly client: Client;
  readonly connected: Promise<void>;
  stderr(): string;
}

/** Starts mcp-remote as a desktop host does; `home` is where it keeps what it was given. */
function startRemote(url: string, home: string, more: readonly string[] = []): Remote {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [PROXY, url, ...more],
    cwd: home,
    env: bareEnvironment(home, { MCP_REMOTE_CONFIG_DIR: path.join(home, 'mcp-auth') }),
    stderr: 'pipe',
  });
  let stderr = '';
  transport.stderr?.on('data', (part: Buffer) => (stderr += part.toString()));
  const client = new Client({ name: 'host', version: '1.0.0' });
  sandbox.defer(async () => client.close());
  const connected = client.connect(transport);
  // Looked at by whoever waits for it.
  connected.catch(() => undefined);
  return { client, connected, stderr: () => stderr };
}

/** Does what the user does in the browser that mcp-remote opens: the page, the token, Allow, and back to the client. */
async function signInOnPage(remote: Remote, token: string): Promise<void> {
  const address = await waitFor(`an address to visit\n${remote.stderr()}`, () =>
    /(http:\/\/\S+\/authorize\?\S+)/.exec(remote.stderr())?.at(1),
  );
  const { origin } = new URL(address);
  const ticket = ticketOf(await send(address, { headers: { Accept: 'text/html' } }));
  const answer = await sendForm(
    `${origin}/authorize`,
    { ticket, token, action: 'allow' },
    { Origin: origin },
  );
  // It opens the browser first and listens then: people are slower.
  const callback = await waitFor('the callback to be listened on', async () =>
    fetch(answer.headers.get('location') ?? '').catch(() => undefined),
  );
  expect([answer.status, callback.status]).toEqual([303, 200]);
}

/** Who a client's calls run as. */
async function userOf({ client }: Remote): Promise<unknown> {
  const { content } = (await client.callTool({ name: 'whoami', arguments: {} })) as {
    content: { text: string }[];
  };
  return (JSON.parse(content[0]?.text ?? '{}') as { userId: string }).userId;
}

/** How often the page was asked for. */
const pagesOf = (server: ServerProcess): number =>
  server
    .log()
    .filter(({ path: route, method, status }) => route === '/authorize' && method === 'GET' && status === 200)
    .length;

describe.each(['/mcp', '/sse'])('at %s without a header, mcp-remote', (route) => {
  testInCi('signs its user in on the page, and starts again without a browser', async () => {
    const server = await startSignIn();
    const home = await sandbox.folder();
    const first = startRemote(server.url + route, home);
    await signInOnPage(first, TOKEN.ada);
    await first.connected;
    const firstUser = await userOf(first);
    await first.client.close();

    const second = startRemote(server.url + route, home);
    await second.connected;
    const secondUser = await userOf(second);

    const { url } = await waitForLog(server, SIGN_IN_LINE);
    expect(url).toBe(`${server.url}/mcp`);
    expect([firstUser, secondUser]).toEqual(['ada', 'ada']);
    expect(pagesOf(server)).toBe(1);
  });
});

describe('with a header that is refused, mcp-remote', () => {
  testInCi.each([
    ['/mcp', 'Bearer tok_wrong_0123456789', 'The token is unknown to this server.'],
    ['/sse', `Bearer ${TOKEN.expired}`, 'The token has expired.'],
    ['/mcp', '', 'No credential was sent.'],
  ] as const)("at %s ends with the server's explanation: %s", async (route, header, words) => {
    const server = await startSignIn();
    const cwd = await sandbox.folder();

    const remote = sandbox.spawn({
      args: [PROXY, server.url + route, '--header', 'Authorization:${AUTH_HEADER}'],
      cwd,
      env: { MCP_REMOTE_CONFIG_DIR: path.join(cwd, 'mcp-auth'), AUTH_HEADER: header },
    });
    remote.child.stdin.write(`${JSON.stringify(INITIALIZE)}\n`);
    const { code } = await waitForEnd(remote);

    expect(code).toBe(1);
    expect(remote.stderr()).toContain(words);
    expect(remote.stderr()).not.toMatch(/authorize this client|browser/i);
    expect(pagesOf(server)).toBe(0);
  });
});

testInCi(
  'after its entry has been signed out, mcp-remote asks its user again',
  async () => {
    const server = await startSignIn();
    const home = await sandbox.folder();
    const first = startRemote(`${server.url}/mcp`, home);
    await signInOnPage(first, TOKEN.ada);
    await first.connected;
    await first.client.close();

    const file = path.join(server.cwd, 'tokens.json');
    const tokens = JSON.parse(await readFile(file, 'utf8')) as Record<string, object>;
    const signedOut = { ...tokens[TOKEN.ada], signInsSince: new Date().toISOString() };
    await writeFile(file, JSON.stringify({ ...tokens, [TOKEN.ada]: signedOut }));
    await waitForLog(server, 'token file reloaded');
    const second = startRemote(`${server.url}/mcp`, home);
    await signInOnPage(second, TOKEN.bob);
    await second.connected;

    expect(await userOf(second)).toBe('bob');
  },
  60_000,
);

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'host', version: '1.0.0' } },
};

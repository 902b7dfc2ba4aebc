/** mcp-remote, started with the arguments of a Claude Desktop configuration: it connects, or says what is wrong. */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { testInCi } from '../support/in-ci.ts';
import { atMost, createSandbox, type ProcessOptions, ROOT, waitFor, waitForEnd } from '../support/process.ts';
import {
  type ServerProcess,
  startServer,
  TOKEN,
  waitForLog,
  WITH_TOKENS,
} from '../support/server-process.ts';
import { connectStdio, type StdioClient } from '../support/stdio-clients.ts';

const sandbox = createSandbox();
afterEach(async () => sandbox.close());
const forAll = createSandbox();
afterAll(async () => forAll.close());

/** What `claude_desktop_config.json` says about a server. */
interface Entry {
  readonly url: string;
  /** The value of `--transport`; by default the option is not given. */
  readonly transport?: 'default' | 'http-only' | 'sse-only';
  /** The value of AUTH_HEADER; without it the variable is not set. */
  readonly header?: string | undefined;
}

/** The command of an entry, with a home of its own so that nothing is found in, or left in, the developer's. */
async function remoteCommand({ url, transport = 'default', header }: Entry): Promise<ProcessOptions> {
  const proxy = path.join(ROOT, 'node_modules/mcp-remote/dist/proxy.js');
  if (!existsSync(proxy)) throw new Error('mcp-remote is missing: run npm install.');
  const cwd = await sandbox.folder();
  return {
    args: [
      proxy,
      url,
      '--header',
      'Authorization:${AUTH_HEADER}',
      ...(transport === 'default' ? [] : ['--transport', transport]),
    ],
    cwd,
    env: {
      MCP_REMOTE_CONFIG_DIR: path.join(cwd, 'mcp-auth'),
      ...(header !== undefined && { AUTH_HEADER: header }),
    },
  };
}

/** Connects through mcp-remote with a valid token. */
async function connectRemote(entry: Entry): Promise<StdioClient> {
  return connectStdio(sandbox, 'v1', await remoteCommand(entry));
}

/** Each route once whenever tests run; what the option alone changes, in CI. */
const WAYS = [
  ['/mcp', 'default', 'streamable-http', test],
  ['/mcp', 'http-only', 'streamable-http', testInCi],
  ['/sse', 'default', 'sse', testInCi],
  ['/sse', 'sse-only', 'sse', testInCi],
] as const;

describe.each(WAYS)(
  'to %s with the transport option %s, mcp-remote',
  (route, transport, expected, testIt) => {
    testIt('lists and calls the tools as the user of the token, with few requests and sessions', async () => {
      const server = await startServer(sandbox, WITH_TOKENS);
      const url = `${server.url}${route}`;
      const ada = await connectRemote({ url, transport, header: `Bearer ${TOKEN.ada}` });
      const bob = await connectRemote({ url, transport, header: `Bearer ${TOKEN.bob}` });

      const names = await ada.listTools();
      const [echo, ...users] = [
        await ada.call('echo_message', { message: 'x'.repeat(100_000) }),
        await ada.call('whoami'),
        await bob.call('whoami'),
      ];

      expect(names).toEqual(['get_greeting', 'echo_message', 'whoami']);
      expect(echo.text).toHaveLength(100_000);
      expect(users.map(({ text }) => JSON.parse(text) as unknown)).toMatchObject([
        { userId: 'ada', transport: expected },
        { userId: 'bob', transport: expected },
      ]);

      await ada.close();
      // A stream has its line in the log when it has ended.
      server.child.kill('SIGTERM');
      await waitForEnd(server);
      // The calls that this test makes have lines of their own.
      const requests = server.log().filter(({ msg, userId }) => msg === 'request' && userId === 'ada');
      const sessions = new Set(requests.flatMap(({ session }) => session ?? []));
      const streams = requests.filter(({ method, status }) => method === 'GET' && status === 200);
      const counts = { requests: requests.length, sessions: sessions.size, streams: streams.length };
      process.stderr.write(`mcp-remote to ${route} (${transport}): ${JSON.stringify(counts)}\n`);
      expect(counts.requests).toBeGreaterThan(2);
      expect(counts.requests).toBeLessThanOrEqual(20);
      expect(counts.sessions).toBeLessThanOrEqual(3);
      expect(counts.streams).toBeLessThanOrEqual(3);
    });
  },
);

testInCi('with authentication off, mcp-remote connects without a header', async () => {
  const server = await startServer(sandbox);
  const client = await connectRemote({ url: `${server.url}/mcp` });

  const me = await client.call('whoami');

  expect(JSON.parse(me.text)).toMatchObject({ userId: 'anonymous' });
});

describe('a refused credential', () => {
  let server: ServerProcess;
  beforeAll(async () => {
    // For all of them: none is refused so often that it would be told to wait.
    server = await startServer(forAll, WITH_TOKENS);
  });

  /** Ends in the words of the server. */
  const expectWords = async (
    _kind: string,
    route: string,
    transport: NonNullable<Entry['transport']>,
    header: string | undefined,
    words: string,
  ): Promise<void> => {
    const entry = { url: `${server.url}${route}`, transport, header };
    const explanation = await askRegister(server, header ?? '${AUTH_HEADER}');

    const remote = sandbox.spawn(await remoteCommand(entry));
    remote.child.stdin.write(`${JSON.stringify(INITIALIZE)}\n`);
    const { code } = await waitForEnd(remote);

    expect(explanation).toContain(words);
    expect(remote.stderr()).toContain(explanation);
    expect(remote.stderr()).not.toMatch(/authorize this client|browser/i);
    expect(code).toBe(1);
    expect(remote.stdout()).toBe('');
  };

  // The words of each credential are told apart in tests of the server; what is mcp-remote's own shows in these, in CI.
  testInCi.each([
    ['unknown', '/mcp', 'default', 'Bearer tok_wrong_0123456789', 'The token is unknown'],
    ['expired', '/sse', 'sse-only', `Bearer ${TOKEN.expired}`, 'The token has expired'],
    ['a variable that is not set', '/mcp', 'default', undefined, 'must read'],
    ['unknown', '/mcp', 'http-only', 'Bearer tok_wrong_0123456789', 'The token is unknown'],
    ['unknown', '/sse', 'default', 'Bearer tok_wrong_0123456789', 'The token is unknown'],
    ['unknown', '/sse', 'sse-only', 'Bearer tok_wrong_0123456789', 'The token is unknown'],
    ['expired', '/mcp', 'default', `Bearer ${TOKEN.expired}`, 'The token has expired'],
    ['disabled', '/mcp', 'default', `Bearer ${TOKEN.disabled}`, 'The token has been disabled'],
    ['empty', '/mcp', 'default', '', 'No credential was sent'],
    ['empty', '/sse', 'sse-only', '', 'No credential was sent'],
    ['without the word Bearer', '/mcp', 'default', TOKEN.ada, 'must read'],
  ] as const)(
    "that is %s ends mcp-remote at %s (%s) with the server's explanation",
    async (kind, route, transport, header, words) => expectWords(kind, route, transport, header, words),
  );

  describe.each([
    ['/mcp', 'default', testInCi],
    ['/sse', 'sse-only', testInCi],
  ] as const)('while connected to %s (%s)', (route, transport, testIt) => {
    testIt("makes calls fail with the server's explanation", async () => {
      const own = await startServer(sandbox, WITH_TOKENS);
      const url = `${own.url}${route}`;
      const client = await connectRemote({ url, transport, header: `Bearer ${TOKEN.ada}` });
      await client.call('whoami');

      await writeFile(path.join(own.cwd, 'tokens.json'), JSON.stringify({ tok_other: { userId: 'other' } }));
      own.child.kill('SIGHUP');
      await waitForLog(own, 'token file reloaded');
      const call = client.call('whoami');

      await expect(call).rejects.toThrow('The token has been revoked.');
      expect(client.stderr()).not.toMatch(/authorize this client|browser/i);
    });
  });
});

describe('a server that restarts', () => {
  describe.each([
    ['/mcp', 'default', 3_000, testInCi],
    // The stream's last frame says to come back after 8 seconds.
    ['/sse', 'sse-only', 12_000, testInCi],
  ] as const)('to %s (%s)', (route, transport, timeoutMs, testIt) => {
    testIt('is found again by mcp-remote', async () => {
      const server = await startServer(sandbox, WITH_TOKENS);
      const url = `${server.url}${route}`;
      const client = await connectRemote({ url, transport, header: `Bearer ${TOKEN.ada}` });
      await client.call('whoami');

      server.child.kill('SIGTERM');
      await waitForEnd(server);
      const whileDown = client.call('whoami');
      await expect(whileDown).rejects.toThrow('fetch failed');
      const env = { ...WITH_TOKENS.env, PORT: String(server.port) };
      await startServer(sandbox, { cwd: server.cwd, env });
      const upMs = performance.now();
      const answer = await waitFor('an answer', async () => client.call('whoami').catch(() => undefined), {
        timeoutMs: atMost(timeoutMs),
      });

      const tookMs = Math.round(performance.now() - upMs);
      process.stderr.write(`mcp-remote to ${route}: answers ${tookMs} ms after the server is back\n`);
      expect(JSON.parse(answer.text)).toMatchObject({ userId: 'ada' });
    });
  });
});

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'host', version: '1.0.0' } },
};

/** What `POST /register` says to a credential. */
async function askRegister({ url }: ServerProcess, header: string): Promise<string> {
  const headers = { Authorization: header };
  const response = await fetch(new URL('/register', url), { method: 'POST', headers });
  const { error_description: words } = (await response.json()) as { error_description: string };
  return words;
}

/** The built stdio server, started by real clients as a desktop host starts it. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { testEach, testInCi } from '../support/in-ci.ts';
import { atMost, createSandbox, type ProcessOptions, waitFor, waitForEnd } from '../support/process.ts';
import { fixtureEntry, TOKEN, TOKENS_JSON } from '../support/server-process.ts';
import { connectStdio, STDIO_KINDS } from '../support/stdio-clients.ts';

const sandbox = createSandbox();
afterEach(async () => sandbox.close());

/** The command of the stdio server, in a folder with a token file and an `.env` that would break it. */
async function stdioCommand(env: Readonly<Record<string, string>> = {}): Promise<ProcessOptions> {
  const cwd = await sandbox.folder({
    'tokens.json': TOKENS_JSON,
    // The working folder is another project's.
    '.env': 'PUBLIC_URL=/my-app\nPORT=/x.sock\nAUTH_ENABLED=true\n',
  });
  return { args: [...fixtureEntry('stdio')], cwd, env };
}

describe.each(STDIO_KINDS)('a %s client', (kind) => {
  // The oldest and the newest differ most.
  const testIt = kind === 'v2' ? testInCi : test;

  testIt(
    'without settings, whatever a .env of the working folder says, lists and calls the tools as the user "anonymous"',
    async () => {
      const client = await connectStdio(sandbox, kind, await stdioCommand());

      const names = await client.listTools();
      const echo = await client.call('echo_message', { message: 'x'.repeat(1_048_576) });
      const me = await client.call('whoami');

      expect(names).toEqual(['get_greeting', 'echo_message', 'whoami']);
      expect(echo.text).toHaveLength(1_048_576);
      expect(JSON.parse(me.text)).toMatchObject({ userId: 'anonymous', transport: 'stdio' });
    },
  );
});

// Whose the token is has nothing to do with the kind of client.
testEach(STDIO_KINDS)('a %s client with authentication on is the user of MCP_TOKEN', async (kind) => {
  const env = { AUTH_ENABLED: 'true', MCP_TOKEN: TOKEN.ada };
  const client = await connectStdio(sandbox, kind, await stdioCommand(env));

  const greeting = await client.call('get_greeting');
  const me = await client.call('whoami');

  expect(greeting).toEqual({ text: 'Hello, Ada Lovelace!', isError: false });
  expect(JSON.parse(me.text)).toMatchObject({ userId: 'ada', transport: 'stdio' });
  expect(client.stderr()).not.toContain(TOKEN.ada);
});

test('a token without the scope of a tool neither lists nor calls it', async () => {
  const env = {
    AUTH_ENABLED: 'true',
    MCP_TOKEN: TOKEN.ada,
    AUTH_TOKENS: JSON.stringify({ [TOKEN.ada]: { userId: 'ada', scopes: ['greet'] } }),
  };
  const client = await connectStdio(sandbox, 'v1', await stdioCommand(env));

  const names = await client.listTools();
  const refused = await client.call('echo_message', { message: 'hi' });

  expect(names).toEqual(['get_greeting', 'whoami']);
  expect(refused).toEqual({ text: expect.stringContaining('insufficient_scope'), isError: true });
});

test('calls beyond CALLS_PER_MINUTE get an error that says how long to wait', async () => {
  const client = await connectStdio(sandbox, 'v1', await stdioCommand({ CALLS_PER_MINUTE: '2' }));

  const answers = [await client.call('whoami'), await client.call('whoami')];

  expect(answers).toEqual([
    expect.objectContaining({ isError: false }),
    {
      text: expect.stringMatching(/^call_limit: .* 2 tool calls a minute\. Wait \d+ seconds/),
      isError: true,
    },
  ]);
});

testEach([
  ['missing', {}, /^MCP_TOKEN .*Set it to a token of the token file/],
  ['unknown', { MCP_TOKEN: 'tok_wrong_0123456789' }, /^MCP_TOKEN .*unknown/],
  ['expired', { MCP_TOKEN: TOKEN.expired }, /^MCP_TOKEN .*expired/],
  ['disabled', { MCP_TOKEN: TOKEN.disabled }, /^MCP_TOKEN .*disabled/],
] as const)(
  'with authentication on and an MCP_TOKEN that is %s, the server refuses to start',
  async (_kind, env, words) => {
    const started = sandbox.spawn(await stdioCommand({ AUTH_ENABLED: 'true', LOG_LEVEL: 'warn', ...env }));

    const ending = await waitForEnd(started);

    expect(ending).toEqual({ code: 1, signal: null });
    expect(started.stdout()).toBe('');
    expect(started.stderr()).toMatch(words);
    expect(started.stderr().trim().split('\n')).toHaveLength(1);
    expect(started.stderr()).not.toMatch(/tok_|^\s+at /m);
  },
);

testInCi(
  'with authentication on and no token file, the server refuses to start and names the variable to set',
  async () => {
    const options = await stdioCommand({ AUTH_ENABLED: 'true', MCP_TOKEN: TOKEN.ada });

    const started = sandbox.spawn({ ...options, cwd: await sandbox.folder() });
    const ending = await waitForEnd(started);

    expect(ending).toEqual({ code: 1, signal: null });
    expect(started.stdout()).toBe('');
    expect(started.stderr()).toMatch(/TOKENS_FILE|AUTH_TOKENS/);
  },
);

test('stdout has one JSON-RPC message per line, also in answer to invalid lines, and stderr has the log', async () => {
  const started = sandbox.spawn(await stdioCommand({ LOG_LEVEL: 'debug' }));
  const send = (line: string): void => void started.child.stdin.write(`${line}\n`);
  const answers = (): Record<string, unknown>[] =>
    started
      .stdout()
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  send(request(1, 'initialize', INITIALIZE));
  await waitFor('the answer to initialize', () => answers().length === 1);
  send('{"jsonrpc":"2.0","method":"notifications/initialized"}');
  send('this is no JSON');
  send('{"jsonrpc":"2.0"}');
  send('[]');
  send('');
  send(request(2, 'tools/call', { name: 'toString' }));
  send(request(3, 'no/such/method', {}));
  send(request(4, 'tools/call', { name: 'whoami', arguments: {} }));
  await waitFor('the answers', () => [2, 3, 4].every((id) => answers().some((each) => each['id'] === id)));
  // The log is another pipe, which may be read later.
  await waitFor('the log', () => started.stderr().includes('"msg":"tool call"'));

  expect(answers().every(({ jsonrpc }) => jsonrpc === '2.0')).toBe(true);
  expect(answers().map(({ id }) => id)).toEqual(expect.arrayContaining([1, 2, 3, 4]));
  expect(answers().filter(({ id }) => id === null)).toMatchObject([
    { error: { code: -32_700 } },
    { error: { code: -32_600 } },
    { error: { code: -32_600 } },
  ]);
  expect(started.stderr().split('"msg":"a line on stdin is not a JSON-RPC message"')).toHaveLength(4);
  expect(started.stderr()).not.toContain('this is no JSON');
  expect(answers().find(({ id }) => id === 2)).toMatchObject({
    error: { code: -32_602, message: 'Tool toString not found' },
  });
  expect(answers().find(({ id }) => id === 3)).toMatchObject({ error: { code: -32_601 } });
  expect(answers().find(({ id }) => id === 4)).toMatchObject({
    result: { structuredContent: { userId: 'anonymous', transport: 'stdio' } },
  });
  expect(started.stderr()).toContain('"msg":"tool call"');
});

/** A question that stands alone, of a revision. */
function listTools(id: number, version: string): string {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': version,
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  return request(id, 'tools/list', { _meta });
}

test('each stateless request of an unsupported revision is refused on its own', async () => {
  const started = sandbox.spawn(await stdioCommand());

  started.child.stdin.write(
    `${[listTools(1, '2026-07-28'), listTools(2, '1900-01-01'), listTools(3, '2026-07-28')].join('\n')}\n`,
  );
  await waitFor('the answers', () => started.stdout().split('\n').length === 4);
  const answers = started.stdout().trim().split('\n');

  const error = { code: -32_022, data: { supported: ['2026-07-28'], requested: '1900-01-01' } };
  expect(answers.map((line) => JSON.parse(line) as unknown)).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ id: 1, result: expect.anything() }),
      expect.objectContaining({ id: 2, error: expect.objectContaining(error) }),
      expect.objectContaining({ id: 3, result: expect.anything() }),
    ]),
  );
});

// By default, what closes each service, and the last line below, say so of a call in flight and of what is read.
testInCi.each(['the end of stdin', 'SIGTERM', 'SIGINT'] as const)(
  '%s ends the process with exit code 0',
  async (what) => {
    const started = sandbox.spawn(await stdioCommand());
    started.child.stdin.write(`${request(1, 'initialize', INITIALIZE)}\n`);
    await waitFor('the answer to initialize', () => started.stdout().includes('\n'));

    const askedMs = performance.now();
    if (what === 'the end of stdin') started.child.stdin.end();
    else started.child.kill(what);
    const ending = await waitForEnd(started);

    expect(ending).toEqual({ code: 0, signal: null });
    expect(performance.now() - askedMs).toBeLessThan(atMost(2_000));
  },
);

testEach(['SIGTERM', 'the end of stdin'] as const)(
  '%s closes each service once, also one that keeps the process alive, and exits with 0',
  async (what) => {
    const command = await stdioCommand();
    const started = sandbox.spawn({ ...command, args: fixtureEntry('stdio', 'wait', 'lively') });
    const file = path.join(command.cwd, 'go-on');
    const lines = [
      request(1, 'initialize', INITIALIZE),
      request(2, 'tools/call', { name: 'wait', arguments: { file } }),
    ];
    started.child.stdin.write(`${lines.join('\n')}\n`);
    await waitFor('the tool', () => started.stderr().includes('"msg":"waiting"'));

    if (what === 'the end of stdin') started.child.stdin.end();
    else started.child.kill(what);
    await writeFile(file, '');
    const ending = await waitForEnd(started);

    expect(ending).toEqual({ code: 0, signal: null });
    expect(started.stderr().split('"service":"lively","msg":"closed"')).toHaveLength(2);
  },
);

test('a host that closes everything at once leaves no process behind', async () => {
  const started = sandbox.spawn({ ...(await stdioCommand()), args: fixtureEntry('stdio', 'lively') });
  started.child.stdin.write(`${request(1, 'initialize', INITIALIZE)}\n`);
  await waitFor('the answer to initialize', () => started.stdout().includes('\n'));

  started.child.stdout.destroy();
  started.child.stdin.end();
  const ending = await waitForEnd(started);

  expect(ending).toEqual({ code: 0, signal: null });
});

testEach([
  ['throw', 'uncaught exception'],
  ['reject', 'unhandled rejection'],
] as const)('an exception that nobody catches (%s) is logged, and the next call is answered', async (how, message) => {
  const client = await connectStdio(sandbox, 'v1', { ...(await stdioCommand()), args: fixtureEntry('stdio', 'explode') });

  expect(await client.call('explode', { how })).toEqual({ text: 'lit', isError: false });
  await waitFor(`the log line "${message}"`, () => client.stderr().includes(`"msg":"${message}"`));

  expect(JSON.parse((await client.call('whoami')).text)).toMatchObject({ userId: 'anonymous' });
}); // prettier-ignore

test('a call that is in flight at the end of stdin is answered, and then the process ends', async () => {
  const command = await stdioCommand();
  const started = sandbox.spawn({ ...command, args: fixtureEntry('stdio', 'wait') });
  const file = path.join(command.cwd, 'go-on');
  const lines = [
    request(1, 'initialize', INITIALIZE),
    '{"jsonrpc":"2.0","method":"notifications/initialized"}',
    request(2, 'tools/call', { name: 'wait', arguments: { file } }),
    request(3, 'tools/call', { name: 'wait', arguments: { file: `${file}-never` } }),
    '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":3}}',
  ];

  started.child.stdin.end(`${lines.join('\n')}\n`);
  await waitFor('the tools', () => started.stderr().split('"msg":"waiting"').length > 2);
  await writeFile(file, '');
  const ending = await waitForEnd(started);

  expect(ending).toEqual({ code: 0, signal: null });
  expect(started.stdout()).toContain('"waited"');
});

testInCi('a call sent just before the end of stdin is still answered', async () => {
  const started = sandbox.spawn(await stdioCommand());
  const lines = [
    request(1, 'initialize', INITIALIZE),
    '{"jsonrpc":"2.0","method":"notifications/initialized"}',
    request(2, 'tools/call', { name: 'get_greeting', arguments: { name: 'you' } }),
  ];

  started.child.stdin.end(`${lines.join('\n')}\n`);
  await waitForEnd(started);

  expect(started.stdout()).toContain('Hello, you!');
});

testEach([
  ['is whole is answered', request(2, 'ping', {}), { id: 2, result: {} }],
  [
    'is none is told of',
    request(2, 'ping', {}).slice(0, -1),
    { id: null, error: { code: -32_700, message: 'Parse error: a line is not JSON.' } },
  ],
] as const)('a last line that only the end of stdin ends and that %s', async (_how, last, answer) => {
  const started = sandbox.spawn(await stdioCommand());

  started.child.stdin.end(`${request(1, 'initialize', INITIALIZE)}\n${last}`);
  const ending = await waitForEnd(started);

  expect(ending).toEqual({ code: 0, signal: null });
  const lines = started.stdout().trim().split('\n');
  expect(lines.slice(1).map((line) => JSON.parse(line) as unknown)).toEqual([{ jsonrpc: '2.0', ...answer }]);
});

const INITIALIZE = {
  protocolVersion: '2025-06-18',
  capabilities: {},
  clientInfo: { name: 'raw', version: '1.0.0' },
};

/** A JSON-RPC request as one line. */
function request(id: number, method: string, params: object): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method, params });
}

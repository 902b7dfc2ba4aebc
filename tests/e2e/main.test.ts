/** The built HTTP server as a process: what it logs at the start, what it refuses, how it reloads and how it ends. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { CLIENT_KINDS, type ClientKind, connectClient } from '../support/clients.ts';
import { findFreePort } from '../support/free-port.ts';
import { testEach, testInCi } from '../support/in-ci.ts';
import { openStream } from '../support/open-streams.ts';
import { eventually } from '../support/raw-http.ts';
import {
  atMost,
  builtFile,
  createSandbox,
  type Ending,
  ROOT,
  waitFor,
  waitForEnd,
} from '../support/process.ts';
import {
  fixtureEntry,
  type ServerOptions,
  type ServerProcess,
  spawnServer,
  startServer,
  TOKEN,
  TOKENS_JSON,
  waitForLog,
  WITH_TOKENS,
} from '../support/server-process.ts';

const sandbox = createSandbox();
afterEach(async () => sandbox.close());

/** Describes what needs a terminal, which `script` of util-linux makes; without it the tests are skipped. */
const describeInTerminal = chooseDescribe();

/** jest's `describe`, or the one that skips. */
function chooseDescribe(): typeof describe.skip {
  const { skip } = describe;
  return process.platform === 'linux' && existsSync('/usr/bin/script') ? describe : skip;
}

/** The status of `GET /tools` with a token. */
async function statusOfTools(url: string, token?: string): Promise<number> {
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const { status } = await fetch(new URL('/tools', url), { headers });
  return status;
}

/** Starts a server that is expected to refuse to, and waits for that. */
async function refusedStart(options: ServerOptions): Promise<Ending & { stderr: string; stdout: string }> {
  const server = await spawnServer(sandbox, options);
  const ending = await waitForEnd(server);
  return { ...ending, stderr: server.stderr(), stdout: server.stdout() };
}

/** What a refused start must look like: exit code 1, nothing on stdout, no stack. */
function expectRefusal({ code, stdout, stderr }: Awaited<ReturnType<typeof refusedStart>>): void {
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).not.toMatch(/^\s+at |node:internal|file:\/\//m);
}

/** What a server answers to a request without a token, what it says of that, and where it listens. */
async function authenticationOf(server: ServerProcess): Promise<unknown> {
  const { auth, authBecause } = await waitForLog(server, 'listening');
  const status = await statusOfTools(server.url);
  return { status, auth, authBecause, hostname: new URL(server.url).hostname };
}

/** What that is on loopback with authentication on. */
const onBecause = (authBecause: string): object => ({
  status: 401,
  auth: true,
  authBecause,
  hostname: '127.0.0.1',
});

describe('the start', () => {
  test('without settings listens on loopback with authentication off, and warns of it', async () => {
    const beganMs = performance.now();
    const server = await startServer(sandbox);

    const health = await fetch(new URL('/health', server.url));
    const healthyMs = performance.now() - beganMs;
    const client = await connectClient('v1 http', { url: server.url });
    const me = await client.call('whoami');
    await client.close();

    process.stderr.write(`/health answered ${Math.round(healthyMs)} ms after the start\n`);
    expect(await health.json()).toMatchObject({ status: 'ok' });
    expect(new URL(server.url).hostname).toBe('127.0.0.1');
    expect(JSON.parse(me.text)).toMatchObject({ userId: 'anonymous' });
    const warnings = server.log().filter(({ level }) => level === 'warn');
    expect(warnings.map(({ msg }) => msg)).toEqual([expect.stringMatching(/^AUTHENTICATION IS OFF: /)]);
    expect(server.stdout()).toBe('');
  });

  test('listens on PORT, and fails with one line when it is in use', async () => {
    const first = await startServer(sandbox, { env: { PORT: String(await findFreePort()) } });

    const second = await refusedStart({ env: { PORT: String(first.port) } });

    expect((await fetch(new URL('/health', first.url))).status).toBe(200);
    expectRefusal(second);
    expect(second.stderr).toBe(
      `Port ${first.port} is in use. Stop what listens there, or set PORT to another.\n`,
    );
  });

  testEach(['fe80::1', '192.0.2.1', 'nowhere.invalid'])(
    'names HOST where %s is no address to listen at',
    async (host) => {
      const refused = await refusedStart({
        ...WITH_TOKENS,
        env: { ...WITH_TOKENS.env, ALLOW_WEAK_TOKENS: 'true', HOST: host },
      });

      expectRefusal(refused);
      expect(refused.stderr).toMatch(/^HOST is not an address of this machine\. Set HOST to one\.$/m);
    },
  );

  test('that fails closes the services that it has opened', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    sandbox.defer(async () => other.close());
    const { port } = other.address() as AddressInfo;

    const { stderr } = await refusedStart({
      env: { PORT: String(port) },
      entry: fixtureEntry('http', 'lively'),
    });

    expect(stderr).toContain('"service":"lively","msg":"closed"');
    expect(stderr).toMatch(/^Port \d+ is in use\./m);
  });

  testEach(['SIGTERM', 'SIGINT'] as const)('ends by a %s that comes before it is over', async (signal) => {
    // A database that says nothing, which a start waits for.
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const env = { TOKENS_STORE: 'database', DATABASE_URL: `postgres://ada:x@127.0.0.1:${port}/tokens` };
    const asked = once(silent, 'connection') as Promise<[Socket]>;
    const server = await spawnServer(sandbox, { env });
    const [socket] = await asked;

    server.child.kill(signal);

    // The first process of a container hears of no signal that it has not asked for.
    expect(await waitForEnd(server)).toMatchObject({ code: 0, signal: null });
    socket.destroy();
    silent.close();
  });

  testEach(['http', 'stdio'] as const)(
    'over %s that is ended by a doubled signal closes the services that it has opened',
    async (transport) => {
      const server = await spawnServer(sandbox, { entry: fixtureEntry(transport, 'lively', 'late') });
      await waitFor('the second service', () => server.stderr().includes('"msg":"opening"'));

      server.child.kill('SIGINT');
      server.child.kill('SIGTERM');
      const ending = await waitForEnd(server);

      expect(ending).toMatchObject({ code: 0, signal: null });
      const closed = [...server.stderr().matchAll(/"service":"(\w+)","msg":"closed"/g)];
      expect(closed.map(([, name]) => name)).toEqual(['late', 'lively']);
      expect(server.stderr()).not.toMatch(/listening|serving stdio|did not open/);
    },
  );

  test('refuses bad settings, naming each of them and showing none of their values', async () => {
    const env = {
      PORT: 'eighty-secret',
      AUTH_ENABLED: 'maybe-secret',
      PUBLIC_URL: 'not-an-origin-secret',
      MAX_BODY_BYTES: '1',
      LOG_LEVEL: 'loud-secret',
    };

    const refused = await refusedStart({ env });

    expectRefusal(refused);
    for (const name of Object.keys(env)) expect(refused.stderr).toContain(`  ${name} must be`);
    expect(refused.stderr).not.toContain('secret');
    expect(refused.stderr.trim().split('\n')).toHaveLength(1 + Object.keys(env).length);
  });

  testEach([
    ['NODE_ENV=production', { NODE_ENV: 'production' }],
    ['a HOST for everybody', { HOST: '0.0.0.0' }],
    ['Replit', { REPL_ID: 'some-id' }],
  ] as const)('refuses AUTH_ENABLED=false with %s, and says what allows it', async (_name, env) => {
    const refused = await refusedStart({ env: { ...env, AUTH_ENABLED: 'false' } });

    expectRefusal(refused);
    expect(refused.stderr).toContain('AUTH_ENABLED=false');
    expect(refused.stderr).toContain('ALLOW_PUBLIC_WITHOUT_AUTH=true');
  });

  testInCi('on loopback has authentication on with a PUBLIC_URL, and says why', async () => {
    const server = await startServer(sandbox, { env: { PUBLIC_URL: 'https://my-app.example' } });

    expect(await authenticationOf(server)).toEqual(onBecause('PUBLIC_URL is set'));
  });
});

describe('a start on loopback with a token file and a secret in .env', () => {
  const kept = createSandbox();
  let server: ServerProcess;
  beforeAll(async () => {
    const secret = randomBytes(32).toString('base64url');
    const files = { '.env': `SERVER_SECRET=${secret}\nSSE_ENABLED=false\n`, 'tokens.json': TOKENS_JSON };
    server = await startServer(kept, { files, env: { SSE_ENABLED: 'true' } });
  });
  afterAll(async () => kept.close());

  test('has authentication on, and says why', async () => {
    expect(await authenticationOf(server)).toEqual(onBecause('there is a tokens.json'));
  });

  test('reads .env, over which the environment takes precedence', async () => {
    const statuses = [await statusOfTools(server.url), await statusOfTools(server.url, TOKEN.ada)];
    const sse = await openStream(sandbox, { url: new URL('/sse', server.url), token: TOKEN.ada });

    expect(statuses).toEqual([401, 200]);
    expect(sse.status).toBe(200);
    expect(server.stdout()).toBe('');
  });

  test('tells of the tokens that programs can sign in with them', async () => {
    const told = await waitFor('the line', () =>
      server.log().find(({ msg }) => String(msg).includes('sign in')),
    );

    expect(told['msg']).toMatch(/^programs on this machine can sign in; .*PUBLIC_URL/);
  });
});

describe('the tokens', () => {
  test('are a single one for this run when none is configured, printed once outside the log', async () => {
    const server = await startServer(sandbox, { env: { AUTH_ENABLED: 'true' } });

    const token = await waitFor('the token', () => /^ {2}(mcp_\S{43})$/m.exec(server.stderr())?.[1]);
    const statuses = [await statusOfTools(server.url), await statusOfTools(server.url, token)];
    const client = await connectClient('v2 http', { url: server.url, token });
    const me = await client.call('whoami');
    await client.close();

    expect(statuses).toEqual([401, 200]);
    expect(JSON.parse(me.text)).toMatchObject({ userId: 'owner' });
    expect(server.stderr().split(`  ${token}\n`)).toHaveLength(2);
    expect(JSON.stringify(server.log())).not.toContain(token);
    expect(server.stderr()).toContain(`"AUTH_HEADER": "Bearer ${token}"`);
  });

  test('are printed with a usable URL on every address, and settings without effect are logged', async () => {
    const server = await startServer(sandbox, { env: { HOST: '0.0.0.0', OAUTH_CLIENT_ID: 'mcp' } });

    const port = new URL(server.url).port;
    await waitFor('the configuration', () => server.stderr().includes('For other clients'));

    expect(server.stderr()).toContain(`http://localhost:${port}/mcp`);
    expect(server.stderr()).toContain('npm run connect -- --url http://localhost:');
    expect(server.log().map(({ msg }) => msg)).toContainEqual(
      expect.stringMatching(/^The Host header is not checked: other machines may use any name .*PUBLIC_URL/),
    );
    expect(server.log()).toContainEqual(
      expect.objectContaining({ msg: 'settings have no effect', variables: ['OAUTH_CLIENT_ID'] }),
    );
  });

  test('from the example are refused on a public server, unless they are allowed', async () => {
    const AUTH_TOKENS = await readFile(path.join(ROOT, 'tokens.example.json'), 'utf8');
    const env = { NODE_ENV: 'production', HOST: '127.0.0.1', AUTH_TOKENS };
    const { code, stderr } = await refusedStart({ env });
    const server = await startServer(sandbox, { env: { ...env, ALLOW_WEAK_TOKENS: 'true' } });

    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining("entry 1 is a token of this server's documentation") as unknown,
    });
    expect(stderr).not.toContain('tok_');
    expect(await statusOfTools(server.url, 'tok_test1_abc123')).toBe(200);
    expect(server.log()).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        msg: 'tokens are accepted that anybody can guess or look up',
      }),
    );
  });

  testInCi('may be a single bare token, for the user "owner"', async () => {
    const token = `mcp_${'x'.repeat(16)}`;
    const server = await startServer(sandbox, {
      env: { NODE_ENV: 'production', HOST: '127.0.0.1', AUTH_TOKENS: token },
    });

    expect(await statusOfTools(server.url, token)).toBe(200);
  });

  test('are required in production, and the error names the variables and the command', async () => {
    const cwd = await sandbox.folder();
    const env = { NODE_ENV: 'production' };

    const refused = await refusedStart({ cwd, env });
    const command = /"npm run token -- (.*?)"/.exec(refused.stderr)?.[1] ?? '';
    const made = sandbox.spawn({ args: [builtFile('scripts/token.js'), ...command.split(' ')], cwd });
    await waitForEnd(made);
    const token = /^ +(mcp_\S+)$/m.exec(made.stdout())?.[1] ?? '';
    const server = await startServer(sandbox, { cwd, env: { ...env, HOST: '127.0.0.1' } });

    expectRefusal(refused);
    expect(refused.stderr).toContain('AUTH_TOKENS');
    expect(refused.stderr).toContain('TOKENS_FILE');
    expect(await statusOfTools(server.url, token)).toBe(200);
  });

  testEach([
    ['missing', 'nowhere.json', /nowhere\.json.* does not exist/],
    ['broken', 'broken.json', /broken\.json: not valid JSON/],
    ['empty', 'empty.json', /empty\.json: not valid JSON/],
    ['without an entry', 'none.json', /none\.json: holds no token/],
    ['a directory', 'folder', /folder: is not a regular file/],
    ['a FIFO that nobody writes to', 'fifo', /fifo: is not a regular file/],
  ] as const)(
    'in a TOKENS_FILE that is %s make the start fail with one line that names it',
    async (_name, file, words) => {
      const cwd = await sandbox.folder({
        'broken.json': '{"tok_secret_1": {"userId": ',
        'empty.json': '',
        'none.json': '{}',
      });
      await mkdir(path.join(cwd, 'folder'));
      await promisify(execFile)('mkfifo', [path.join(cwd, 'fifo')]);

      const refused = await refusedStart({
        cwd,
        env: { AUTH_ENABLED: 'true', TOKENS_FILE: path.join(cwd, file) },
      });

      expectRefusal(refused);
      expect(refused.stderr).toMatch(words);
      expect(refused.stderr.trim().split('\n')).toHaveLength(1);
      expect(refused.stderr).not.toContain('secret');
    },
  );

  test('are read again on SIGHUP', async () => {
    const server = await startServer(sandbox, WITH_TOKENS);
    const before = [
      await statusOfTools(server.url, TOKEN.ada),
      await statusOfTools(server.url, 'tok_fresh_0123'),
    ];

    await writeFile(path.join(server.cwd, 'tokens.json'), '{"tok_fresh_0123":{"userId":"fresh"}}');
    server.child.kill('SIGHUP');
    await waitForLog(server, 'token file reloaded');
    const after = [
      await statusOfTools(server.url, TOKEN.ada),
      await statusOfTools(server.url, 'tok_fresh_0123'),
    ];

    expect(before).toEqual([200, 401]);
    expect(after).toEqual([401, 200]);
  });
});

describeInTerminal('a terminal', () => {
  test('that closes ends the server', async () => {
    const port = await findFreePort();
    const command = [process.execPath, ...fixtureEntry('http')].join(' ');
    const cwd = await sandbox.folder(WITH_TOKENS.files);
    // It makes a terminal, which closes when it is killed.
    const terminal = sandbox.spawn({
      command: 'script',
      args: ['--quiet', '--command', command, '/dev/null'],
      cwd,
      env: { ...WITH_TOKENS.env, PORT: String(port) },
    });
    const isServing = (): Promise<boolean> =>
      fetch(`http://127.0.0.1:${port}/health`).then(
        ({ ok }) => ok,
        () => false,
      );
    await eventually(isServing);
    // It serves before what it says has gone through the terminal.
    await eventually(() => terminal.stdout().includes('listening'));
    const written = terminal.stdout();

    terminal.child.kill('SIGKILL');
    await eventually(async () => !(await isServing()));

    // The log of a terminal is for people.
    expect(written).not.toContain('"msg"');
  });
});

describe('a signal to stop', () => {
  test('is SIGHUP, too, without a token file to reload', async () => {
    const server = await startServer(sandbox);

    server.child.kill('SIGHUP');

    expect(await waitForEnd(server)).toEqual({ code: 0, signal: null });
  });

  testEach(['SIGTERM', 'SIGINT'] as const)(
    'lets the calls on every transport finish, ends every stream and exits with 0 (%s)',
    async (signal) => {
      const { server, calls, stream, subscription, release } = await startBusyServer();

      server.child.kill(signal);
      await waitForLog(server, 'shutting down');
      // A connection that is idle is good for one more call, until it is closed.
      await eventually(
        async () => (await statusOfTools(server.url, TOKEN.ada).catch(String)) === 'TypeError: fetch failed',
      );
      const callsEndedEarly = countLines(server, 'tool call');
      const releasedMs = performance.now();
      await release();
      const answers = await Promise.all(calls);
      const ending = await waitForEnd(server);
      const tookMs = performance.now() - releasedMs;

      process.stderr.write(`${signal}: ended ${Math.round(tookMs)} ms after the calls could finish\n`);
      expect(callsEndedEarly).toBe(0);
      expect(answers).toEqual(calls.map(() => ({ text: 'waited', isError: false })));
      expect(ending).toEqual({ code: 0, signal: null });
      expect(tookMs).toBeLessThan(atMost(5_000));
      expect(await stream.ended).toBe(true);
      expect(stream.text()).toMatch(/\nretry: 8000\n\n$/);
      expect(await subscription.closed).toBe('graceful');
      expect(server.log().at(-1)).toMatchObject({ msg: 'stopped', finished: true });
      expect(server.stdout()).toBe('');
    },
  );

  test('that comes twice at once, as npm forwards it, counts once', async () => {
    const server = await startServer(sandbox);

    server.child.kill('SIGINT');
    server.child.kill('SIGINT');
    const ending = await waitForEnd(server);

    expect(ending).toEqual({ code: 0, signal: null });
    expect(countLines(server, 'shutting down')).toBe(1);
  });

  test('that is repeated after a moment ends the process at once', async () => {
    const { server } = await startBusyServer({ kinds: ['v1 http'] });

    server.child.kill('SIGTERM');
    await waitForLog(server, 'shutting down');
    const askedMs = performance.now();
    // Within a tenth of a second it counts as the same one, which npm has forwarded.
    await waitFor('the process to end', () => {
      server.child.kill('SIGTERM');
      return server.child.exitCode !== null;
    });

    expect(server.child.exitCode).toBe(1);
    expect(performance.now() - askedMs).toBeLessThan(atMost(1_000));
  });

  test('cuts calls that outlast the grace period and exits with 1', async () => {
    const { server } = await startBusyServer({ env: { SHUTDOWN_GRACE_SECONDS: '1' }, kinds: ['v1 http'] });

    const askedMs = performance.now();
    server.child.kill('SIGTERM');
    const ending = await waitForEnd(server);
    const tookMs = performance.now() - askedMs;

    expect(ending).toEqual({ code: 1, signal: null });
    expect(tookMs).toBeGreaterThan(900);
    expect(tookMs).toBeLessThan(atMost(3_000));
    expect(server.log().at(-1)).toMatchObject({ msg: 'stopped', finished: false });
  });

  test('closes what it can, logs what fails to close, and exits with 1', async () => {
    const breaking = `import net from 'node:net';
net.Server.prototype.close = () => { throw new Error('it is stuck'); };`;
    const entry = ['--import', `data:text/javascript,${breaking}`, ...fixtureEntry('http', 'lively')];
    const server = await startServer(sandbox, { entry });

    server.child.kill('SIGTERM');
    const ending = await waitForEnd(server);

    expect(ending).toEqual({ code: 1, signal: null });
    expect(server.log().slice(-3)).toMatchObject([
      { level: 'error', msg: 'something did not close', err: { message: 'it is stuck' } },
      { service: 'lively', msg: 'closed' },
      { msg: 'stopped', finished: false },
    ]);
  });

  testEach([
    ['half a request', 'GET /health HTTP/1.1\r\nHost: local'],
    ['nothing', ''],
  ] as const)('is not held up by a connection that has sent %s', async (_name, sent) => {
    const server = await startServer(sandbox);
    const socket = connect(server.port, '127.0.0.1', () => socket.write(sent));
    sandbox.defer(async () => socket.destroy());
    await once(socket, 'connect');
    // The server has accepted it when it answers one that came later.
    await statusOfTools(server.url);

    const askedMs = performance.now();
    server.child.kill('SIGTERM');
    const ending = await waitForEnd(server, { timeoutMs: 15_000 });

    expect(ending).toEqual({ code: 0, signal: null });
    expect(performance.now() - askedMs).toBeLessThan(atMost(2_000));
  });

  testInCi('without any connection ends the process at once', async () => {
    const server = await startServer(sandbox);

    const askedMs = performance.now();
    server.child.kill('SIGTERM');
    const ending = await waitForEnd(server);

    expect(ending).toEqual({ code: 0, signal: null });
    expect(performance.now() - askedMs).toBeLessThan(atMost(2_000));
  });
});

testInCi('the server keeps running when the reader of its log exits', async () => {
  const server = await startServer(sandbox, WITH_TOKENS);

  server.child.stderr.destroy();
  const statuses: number[] = [];
  for (let count = 0; count < 20; count += 1) statuses.push(await statusOfTools(server.url, TOKEN.ada));
  const client = await connectClient('v1 sse', { url: server.url, token: TOKEN.ada });
  const greeting = await client.call('get_greeting');
  await client.close();
  server.child.kill('SIGTERM');

  expect(statuses).toEqual(Array.from({ length: 20 }, () => 200));
  expect(greeting.text).toBe('Hello, Ada Lovelace!');
  expect(await waitForEnd(server)).toEqual({ code: 0, signal: null });
});

/** What a busy server is started with, and the kinds of its clients. */
interface BusyOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly kinds?: readonly ClientKind[];
}

/** A server with an idle stream of each kind and a call in flight on each transport; `release` lets the calls finish. */
async function startBusyServer({ env = {}, kinds = CLIENT_KINDS }: BusyOptions = {}) {
  const server = await startServer(sandbox, {
    ...WITH_TOKENS,
    env: { ...WITH_TOKENS.env, ...env },
    entry: fixtureEntry('http', 'wait'),
  });
  const stream = await openStream(sandbox, { url: new URL('/sse', server.url), token: TOKEN.ada });
  const subscription = await subscribe(server);
  const connection = { url: server.url, token: TOKEN.ada };
  // The clients of Streamable HTTP with a session open its GET stream by themselves.
  const clients = await Promise.all(kinds.map((kind) => connectClient(kind, connection)));
  for (const client of clients) sandbox.defer(async () => client.close());
  const file = path.join(server.cwd, 'go');
  const calls = clients.map((client) => client.call('wait', { file }));
  // A test that fails early must not leave a rejection that nobody handles.
  for (const call of calls) call.catch(() => undefined);
  await waitFor('every call to be in flight', () => countLines(server, 'waiting') === calls.length);
  return { server, calls, stream, subscription, release: async () => writeFile(file, '') };
}

/** Opens a 2026-07-28 subscription to changes of the tool list. */
async function subscribe({ url }: ServerProcess) {
  const client = new Client(
    { name: 'subscriber', version: '1.0.0' },
    { versionNegotiation: { mode: { pin: '2026-07-28' } } },
  );
  const requestInit = { headers: { Authorization: `Bearer ${TOKEN.ada}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', url), { requestInit }));
  sandbox.defer(async () => client.close());
  return client.listen({ toolsListChanged: true });
}

/** How many lines with this message the log has. */
function countLines(server: ServerProcess, message: string): number {
  return server.log().filter(({ msg }) => msg === message).length;
}

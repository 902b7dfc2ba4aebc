/** Real proxies on the configurations of `deploy/`: streams begin at once, and a rolling restart under load fails no call. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connectClient, type TestClient } from '../support/clients.ts';
import { findFreePort } from '../support/free-port.ts';
import { testInCi } from '../support/in-ci.ts';
import { createSandbox, waitFor, waitForEnd } from '../support/process.ts';
import { describeBehindProxies, INSTALLED, inTurn, type Proxy, startProxy } from '../support/proxies.ts';
import { callTool, openMcpSession, openRaw, parseAnswer, send, stateless } from '../support/raw-http.ts';
import { hasTime } from '../support/reduced.mjs';
import { hasRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { startLoad } from '../support/restart-load.ts';
import {
  fixtureEntry,
  type ServerProcess,
  startServer,
  TOKEN,
  WITH_TOKENS,
} from '../support/server-process.ts';
import { openSse, openStream } from '../support/sse-reader.ts';

/** Long enough for two checks of each proxy, which come every second. */
const DELAY_SECONDS = 3;

/** Calls through each proxy, where the machine can do as many. */
const CALLS_PER_SECOND = 500;

/** How many calls of `wait` an instance has begun. */
const waitingAt = (instance: Pick<ServerProcess, 'log'>): number =>
  instance.log().filter(({ msg }) => msg === 'waiting').length;

/** Calls again and again; returns as whom, and what the calls that failed were told. */
async function callInTurn(client: TestClient) {
  const users = new Set<unknown>();
  const failures: string[] = [];
  for (let call = 0; call < 20; call += 1)
    await client.call('whoami').then(
      ({ text }) => users.add((JSON.parse(text) as { userId: unknown }).userId),
      (error: unknown) => failures.push(`${String(error)} ${JSON.stringify(error)}`),
    );
  return { users: [...users], failures };
}

/** An instance behind the proxies. */
interface Instance extends ServerProcess {
  /** How often a proxy has been told that it is ready. */
  checks(): number;
}

const SECRET = randomBytes(32).toString('base64url');

describeBehindProxies('behind proxies', () => {
  const sandbox = createSandbox();
  /** As they are in `deploy/`, and as they are where every instance serves every session. */
  const [proxies, balancers] = [new Map<string, Proxy>(), new Map<string, Proxy>()];
  const instances: Instance[] = [];
  let redis: TestRedis | undefined;
  beforeAll(async () => {
    // Only the tests of CI need a third, and that each serves the sessions of all.
    redis = hasTime && hasRedis ? await startRedis(sandbox) : undefined;
    for (let count = 0; count < (hasTime ? 3 : 2); count += 1)
      instances.push(await startInstance(await findFreePort()));
    const ports = instances.map(({ port }) => port);
    for (const program of INSTALLED) {
      proxies.set(program.name, await startProxy(sandbox, program, ports.slice(0, 2)));
      if (hasTime) balancers.set(program.name, await startProxy(sandbox, program, ports, inTurn));
    }
  }, 60_000);
  afterAll(async () => sandbox.close());

  /** Starts an instance on a port, as it is started behind a balancer. */
  const startInstance = async (port: number): Promise<Instance> => {
    const started = await startServer(sandbox, {
      ...WITH_TOKENS,
      entry: fixtureEntry('http', 'wait'),
      env: {
        ...WITH_TOKENS.env,
        PORT: String(port),
        SERVER_SECRET: SECRET,
        ...(redis && { REDIS_URL: redis.url }),
        SHUTDOWN_DELAY_SECONDS: String(DELAY_SECONDS),
        TRUST_PROXY: 'true',
        // The checks come under other names.
        PUBLIC_URL: 'https://mcp.example',
        LOG_LEVEL: 'debug',
      },
    });
    let checks = 0;
    started.child.stderr?.on('data', (part: Buffer) => {
      checks += String(part).match(/"path":"\/ready"[^\n]*"status":200/g)?.length ?? 0;
    });
    return { ...started, checks: () => checks };
  };

  describe.each(INSTALLED)('$name', ({ name }) => {
    /** Where the proxy listens. */
    const url = (): string => proxies.get(name)?.url ?? '';

    test('hands the first byte of every stream on at once, long before the heartbeat', async () => {
      const session = await openMcpSession(url(), TOKEN.ada);
      const stream = await openStream(`${url()}/mcp`, { headers: session.headers });
      await stream.waitFor(({ comment }) => comment !== undefined, 12_000);
      const older = await openSse(url(), TOKEN.ada);
      await older.post(callTool(1, 'echo_message', { message: 'through' }));

      expect(await older.answerTo(1)).toMatchObject({ result: { content: [{ text: 'through' }] } });

      stream.close();
      older.close();
    });

    test('hands each event of a stream on at once, and collects none', async () => {
      const { post, answerTo, close } = await openSse(url(), TOKEN.ada);
      const tookMs: number[] = [];
      for (let id = 0; id < 10; id += 1) {
        const beganMs = performance.now();
        await post(callTool(id, 'echo_message', { message: 'at once' }));
        await answerTo(id);
        tookMs.push(performance.now() - beganMs);
      }
      close();

      // The fastest of them: the others may have had to wait for a busy machine.
      expect(Math.min(...tookMs)).toBeLessThan(150);
    });

    testInCi(
      'hands on the head of a slow POST while its tool runs, and serves what comes after it',
      async () => {
        const session = await openMcpSession(url(), TOKEN.ada);
        const file = join(await sandbox.folder(), 'go');
        const body = callTool(7, 'wait', { file });
        const stream = await openStream(`${url()}/mcp`, { headers: session.headers, body });
        const type = stream.headers.get('content-type');
        await writeFile(file, '');
        const answer = await stream.answerTo(7);
        stream.close();
        const call = stateless({ method: 'tools/list' }, { token: TOKEN.ada });
        const others = await Promise.all(Array.from({ length: 8 }, () => send(`${url()}/mcp`, call)));

        expect([stream.status, type]).toEqual([200, expect.stringContaining('text/event-stream')]);
        expect(answer).toMatchObject({ result: { content: [{ text: 'waited' }] } });
        expect(others.map(({ status }) => status)).toEqual(others.map(() => 200));
      },
    );

    testInCi('says whose the address of a refused credential is, whatever its sender says', async () => {
      const connection = await openRaw(url(), { localAddress: '127.0.0.2' });
      const head = [
        'GET /tools HTTP/1.1',
        'Host: mcp.example',
        'Authorization: Bearer tok_wrong',
        'X-Forwarded-For: 203.0.113.9',
        'Connection: close',
      ];
      connection.write(`${head.join('\r\n')}\r\n\r\n`);
      const { status, headers } = parseAnswer(await connection.closed());
      const line = await waitFor('its line in the log', () =>
        instances
          .flatMap((instance) => instance.log())
          .find(({ requestId }) => requestId === headers.get('x-request-id')),
      );

      expect([status, line['reason'], line['address']]).toEqual([401, 'unknown', '127.0.0.2']);
    });
  });

  testInCi(
    'an instance that is killed takes along the calls that run there, whose clients are told so; every session goes on',
    async () => {
      const clients = await Promise.all(
        INSTALLED.flatMap(({ name }) =>
          (['v1 http', 'v2 http'] as const).map(async (kind) =>
            connectClient(kind, { url: balancers.get(name)?.url ?? '', token: TOKEN.ada }),
          ),
        ),
      );
      const file = join(await sandbox.folder(), 'go');
      const before = instances.map(waitingAt);
      const resumable = new Set<TestClient>();
      const held = clients.map(async (client) =>
        client.call('wait', { file }, () => resumable.add(client)).then(({ text }) => text, String),
      );
      await waitFor('calls that can be resumed', () => resumable.size === clients.length);
      const running = instances.map((instance, index) => waitingAt(instance) - (before[index] ?? 0));
      const victim = running.indexOf(Math.max(...running));
      const { child, ended, port } = instances[victim] as Instance;

      child.kill('SIGKILL');
      await ended;
      const called = await Promise.all(clients.map(async (client) => callInTurn(client)));
      await writeFile(file, '');
      const answers = await Promise.all(held);
      instances[victim] = await startInstance(port);
      await Promise.all(clients.map(async (client) => client.close()));

      expect(called.map(({ users }) => users)).toEqual(clients.map(() => ['ada']));
      // In the moment in which a balancer notices; never that there is no session.
      for (const { failures } of called) expect(failures.length).toBeLessThan(3);
      expect(called.flatMap(({ failures }) => failures).filter((said) => !/502|503/.test(said))).toEqual([]);
      const lost = answers.filter((answer) => answer !== 'waited');
      expect(lost).toHaveLength(running[victim] ?? 0);
      for (const answer of lost) expect(answer).toMatch(/no longer kept/);
    },
    60_000,
  );

  testInCi(
    'a restart of all instances in turn under load fails no call, be it of a session, of none or over HTTP+SSE',
    async () => {
      const load = INSTALLED.map(({ name }) =>
        startLoad(balancers.get(name)?.url ?? '', {
          perSecond: CALLS_PER_SECOND,
          withSse: redis !== undefined,
        }),
      );
      for (const [index, { child, port, ...instance }] of instances.entries()) {
        child.kill('SIGTERM');
        await waitForEnd({ child, ...instance }, { timeoutMs: 20_000 });
        const next = await startInstance(port);
        instances[index] = next;
        // Each proxy in both of its configurations.
        const enough = 4 * INSTALLED.length;
        await waitFor('the checks of the proxies', () => next.checks() >= enough, { timeoutMs: 20_000 });
      }
      const outcomes = await Promise.all(load.map(async (end) => end()));

      expect(outcomes.map(({ failures }) => failures.slice(0, 5))).toEqual(INSTALLED.map(() => []));
      for (const [index, { calls, perSecond }] of outcomes.entries()) {
        process.stderr.write(`${INSTALLED[index]?.name}: ${calls} calls, ${perSecond} a second\n`);
        expect(calls).toBeGreaterThan(100);
      }
    },
    120_000,
  );
});

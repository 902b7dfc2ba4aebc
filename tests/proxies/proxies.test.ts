/** Real proxies on the configurations of `deploy/`: streams begin at once, and a rolling restart under load fails no call. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findFreePort } from '../support/free-port.ts';
import { createSandbox, waitFor, waitForEnd } from '../support/process.ts';
import { describeBehindProxies, INSTALLED, type Proxy, startProxy } from '../support/proxies.ts';
import { callTool, openMcpSession, send, stateless } from '../support/raw-http.ts';
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

/** Calls under way at once through each proxy. */
const CALLERS = 4;

describeBehindProxies('behind proxies', () => {
  const sandbox = createSandbox();
  const proxies = new Map<string, Proxy>();
  const instances: ServerProcess[] = [];
  beforeAll(async () => {
    for (let count = 0; count < 2; count += 1) instances.push(await startInstance(await findFreePort()));
    const ports = instances.map(({ port }) => port);
    for (const program of INSTALLED) proxies.set(program.name, await startProxy(sandbox, program, ports));
  });
  afterAll(async () => sandbox.close());

  /** Starts an instance on a port, as it is started behind a balancer. */
  const startInstance = async (port: number): Promise<ServerProcess> =>
    startServer(sandbox, {
      ...WITH_TOKENS,
      entry: fixtureEntry('http', 'wait'),
      env: {
        ...WITH_TOKENS.env,
        PORT: String(port),
        SHUTDOWN_DELAY_SECONDS: String(DELAY_SECONDS),
        TRUST_PROXY: 'true',
        // The checks come under other names.
        PUBLIC_URL: 'https://mcp.example',
        LOG_LEVEL: 'debug',
      },
    });

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

    test('hands on the head of a slow POST while its tool runs, and idle connections are good afterwards', async () => {
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
    });

    test('says whose the address of a refused credential is', async () => {
      const answer = await send(`${url()}/tools`, {
        token: 'tok_wrong',
        headers: { 'X-Forwarded-For': '203.0.113.9' },
      });

      expect(answer.status).toBe(401);
    });
  });

  test('a rolling restart of both instances under load fails no call', async () => {
    const load = INSTALLED.map(({ name }) => startLoad(proxies.get(name)?.url ?? ''));
    for (const [index, { child, port, ...instance }] of instances.entries()) {
      child.kill('SIGTERM');
      await waitForEnd({ child, ...instance }, { timeoutMs: 20_000 });
      const next = await startInstance(port);
      instances[index] = next;
      await waitFor('the checks of the proxies', () => countChecks(next) >= 2 * INSTALLED.length, {
        timeoutMs: 20_000,
      });
    }
    const outcomes = await Promise.all(load.map((end) => end()));

    expect(outcomes.map(({ failures }) => failures)).toEqual(INSTALLED.map(() => []));
    for (const { calls } of outcomes) expect(calls).toBeGreaterThan(20);
  }, 60_000);
});

/** How often somebody has asked an instance whether it is ready. */
function countChecks(instance: ServerProcess): number {
  return instance.log().filter(({ path, status }) => path === '/ready' && status === 200).length;
}

/** What became of the calls of a load. */
interface Outcome {
  readonly calls: number;
  /** What was answered to those that failed. */
  readonly failures: readonly string[];
}

/** Calls through a proxy again and again; the result ends it. */
function startLoad(url: string): () => Promise<Outcome> {
  const call = stateless(
    { method: 'tools/call', params: { name: 'echo_message', arguments: { message: 'here' } } },
    { token: TOKEN.ada },
  );
  const failures: string[] = [];
  let calls = 0;
  const over = new AbortController();
  const callers = Array.from({ length: CALLERS }, async () => {
    while (!over.signal.aborted) {
      const { status, text } = await send(`${url}/mcp`, call);
      calls += 1;
      if (status !== 200) failures.push(`${status} ${text.slice(0, 200)}`);
    }
  });
  return async () => {
    over.abort();
    await Promise.all(callers);
    return { calls, failures };
  };
}

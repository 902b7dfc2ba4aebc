/** `/metrics`: who may read it, what it shows, and that Prometheus' own checker finds no fault in it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { channel } from 'node:diagnostics_channel';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CALL_ENDED } from '../../../src/mcp/call-records.ts';
import { createHeldTool } from '../../support/held-tool.ts';
import { fixtureTools } from '../../../lab/fixture/tools.mjs';
import { openStream } from '../../support/open-streams.ts';
import { createSandbox } from '../../support/process.ts';
import { callTool, eventually, openMcpSession, send, stateless } from '../../support/raw-http.ts';
import { ADA, BOB, startTestServer, type TestServer } from '../../support/start-server.ts';
import { describeWithRedis, startRedis } from '../../support/redis.ts';

/** Whether promtool is installed. Debian: `apt-get install prometheus`. */
const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

const TOKEN = 'scrape_0123456789abcdef';

const sandbox = createSandbox();
const held = createHeldTool();
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({
    tools: [...fixtureTools, held.tool],
    env: { METRICS_TOKEN: TOKEN, CALLS_PER_MINUTE: '40' },
  });
});
afterAll(async () => {
  held.release();
  await server.close();
  await sandbox.close();
});

/** The metrics of a server. */
async function scrape({ url }: TestServer, token = TOKEN): Promise<string> {
  return (await send(`${url}/metrics`, { token })).text;
}

/** The value of a series with exactly these labels. */
function valueOf(text: string, series: string): number | undefined {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length));
}

/** The value of a counter, which is not there before it counts. */
function countOf(text: string, series: string): number {
  return valueOf(text, series) ?? 0;
}

/** The labels of the calls of a tool. */
function labels(tool: string): string {
  return `mcp_method_name="tools/call",gen_ai_tool_name="${tool}",mcp_transport="streamable-http"`;
}

describe('access to /metrics', () => {
  test('needs METRICS_TOKEN, which gives access to nothing else', async () => {
    const good = await send(`${server.url}/metrics`, { token: TOKEN });
    const statuses = await Promise.all([
      send(`${server.url}/metrics`, {}),
      send(`${server.url}/metrics`, { token: ADA }),
      send(`${server.url}/metrics?token=${TOKEN}`, {}),
      send(`${server.url}/tools`, { token: TOKEN }),
      send(`${server.url}/metrics`, { token: TOKEN, method: 'POST', body: {} }),
      send(`${server.url}/metrics`, { token: TOKEN, headers: { Host: '10.1.2.3:8000' } }),
    ]);

    expect(good.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(statuses.map(({ status }) => status)).toEqual([401, 401, 401, 401, 405, 200]);
  });

  test('is checked for HEAD too, which answers as GET does', async () => {
    const right = await send(`${server.url}/metrics`, { method: 'HEAD', token: TOKEN });
    const without = await send(`${server.url}/metrics`, { method: 'HEAD' });

    expect([right.status, right.headers.get('content-type'), right.text]).toEqual([
      200,
      'text/plain; version=0.0.4; charset=utf-8',
      '',
    ]);
    expect(without.status).toBe(401);
  });

  test('is a 404 without METRICS_TOKEN', async () => {
    const bare = await startTestServer();
    const answer = await send(`${bare.url}/metrics`, { token: ADA });
    await bare.close();

    expect(answer).toMatchObject({ status: 404, body: { error: 'not_found' } });
  });

  test('is warned of in the log when METRICS_TOKEN is short', async () => {
    const short = await startTestServer({ env: { METRICS_TOKEN: 'scrape' } });
    await short.close();

    expect(short.lines.some(({ msg }) => String(msg).startsWith('METRICS_TOKEN is short'))).toBe(true);
  });

  test('is warned of in the log when METRICS_TOKEN is the token of a user', async () => {
    const shared = await startTestServer({ env: { METRICS_TOKEN: ADA } });
    await shared.close();

    const warned = shared.lines.filter(({ msg }) =>
      String(msg).startsWith('METRICS_TOKEN is also a user’s token'),
    );
    expect(warned).toMatchObject([{ level: 40, userId: 'ada' }]);
    expect(server.lines.some(({ msg }) => String(msg).startsWith('METRICS_TOKEN'))).toBe(false);
    expect(JSON.stringify(shared.lines)).not.toContain(ADA);
  });
});

describe('the metrics', () => {
  test('count calls by method, tool, transport and error, with buckets below a millisecond', async () => {
    const session = await openMcpSession(server.url, ADA);
    await session.post(callTool(1, 'echo_message', { message: 'x' }));
    await session.post(callTool(2, 'echo_message', {}));
    await session.post(callTool(3, 'sEcReT-1'));
    await session.post(callTool(4, 'sEcReT-2'));
    const call = { method: 'tools/call', params: { name: 'echo_message', arguments: { message: 'x' } } };
    await send(`${server.url}/mcp`, stateless(call, { token: ADA }));

    const text = await scrape(server);

    const name = 'mcp_server_operation_duration_seconds';
    expect(valueOf(text, `${name}_count{${labels('echo_message')}}`)).toBe(2);
    expect(valueOf(text, `${name}_bucket{${labels('echo_message')},le="+Inf"}`)).toBe(2);
    expect(text).toContain('le="0.0001"');
    expect(valueOf(text, `${name}_count{${labels('echo_message')},error_type="invalid_input"}`)).toBe(1);
    expect(valueOf(text, `${name}_count{${labels('(unknown)')},error_type="unknown_tool"}`)).toBe(2);
    expect(text).not.toMatch(/sEcReT|ada/);
  });

  test('have one series for two outcomes with the same labels', async () => {
    const event = { method: 'tools/call', kind: 'tool', name: 'both', transport: 'stdio', durationMs: 1 };
    for (const outcome of ['ok', 'input_required']) channel(CALL_ENDED).publish({ ...event, outcome });

    const text = await scrape(server);

    expect(text.match(/^mcp_server_operation_duration_seconds_count\{.*"both".*$/gm)).toEqual([
      expect.stringMatching(/ 2$/),
    ]);
  });

  test('have one series for all resources, without their names', async () => {
    const event = { method: 'resources/read', kind: 'resource', transport: 'stdio', durationMs: 1 };
    for (const name of ['one', 'two']) channel(CALL_ENDED).publish({ ...event, name, outcome: 'ok' });

    const text = await scrape(server);

    expect(text.match(/^mcp_server_operation_duration_seconds_count\{.*"resources\/read".*$/gm)).toEqual([
      expect.stringMatching(/ 2$/),
    ]);
  });

  test('show sessions, streams, calls in flight, tokens and the process', async () => {
    await openStream(sandbox, { url: new URL('/sse', server.url), token: BOB });
    const session = await openMcpSession(server.url, BOB, '2025-06-18');
    const running = session.post(callTool(1, 'hold'));
    await held.untilWaiting(1);

    const text = await scrape(server);
    held.release();
    await running;

    expect(valueOf(text, 'mcp_server_sessions{mcp_transport="sse"}')).toBe(1);
    expect(valueOf(text, 'mcp_server_streams{mcp_transport="sse"}')).toBe(1);
    expect(
      valueOf(text, 'mcp_server_sessions{mcp_transport="streamable-http",mcp_protocol_version="2025-06-18"}'),
    ).toBe(1);
    expect(valueOf(text, 'mcp_server_calls_in_flight')).toBe(1);
    expect(valueOf(text, 'mcp_server_tokens')).toBe(5);
    for (const name of [
      'nodejs_eventloop_delay_p99_seconds',
      'nodejs_eventloop_utilization_ratio',
      'process_cpu_seconds_total',
      'process_resident_memory_bytes',
      'process_start_time_seconds',
    ])
      expect(valueOf(text, name)).toBeGreaterThanOrEqual(0);
  });

  test('show the delay of the event loop since the last scrape, without the interval of its measurement', async () => {
    await scrape(server);
    // The first sample of Node's own monitor since then has nothing to compare with.
    for (let block = 0; block < 3; block += 1) {
      const untilMs = performance.now() + 150;
      while (performance.now() < untilMs);
      await nextTurn();
      await nextTurn();
    }
    const blocked = await scrape(server);

    expect(valueOf(blocked, 'nodejs_eventloop_delay_max_seconds')).toBeGreaterThan(0.1);
    await eventually(async () => {
      const quiet = await scrape(server);
      return ['max', 'p50'].every((what) => countOf(quiet, `nodejs_eventloop_delay_${what}_seconds`) < 0.015);
    });
  });

  test('count refused logins by reason, and calls that a limit refused', async () => {
    const before = await scrape(server);
    await send(`${server.url}/tools`, {});
    await send(`${server.url}/tools`, { token: 'tok_expired_0123456789' });
    const session = await openMcpSession(server.url, BOB);
    for (let id = 0; id < 30; id += 1) await session.post(callTool(id, 'whoami'));

    const after = await scrape(server);

    for (const reason of ['missing', 'expired']) {
      const series = `mcp_server_refused_logins_total{reason="${reason}"}`;
      expect(countOf(after, series)).toBe(countOf(before, series) + 1);
    }
    expect(countOf(after, 'mcp_server_limited_calls_total{limit="call_limit"}')).toBeGreaterThan(0);
  });

  test('name users by their ids only with METRICS_USERS', async () => {
    const own = await startTestServer({
      env: { METRICS_TOKEN: TOKEN, METRICS_USERS: 'true' },
      tokens: { [ADA]: { userId: 'a"d\\a\n' } },
    });
    await send(`${own.url}/mcp`, { token: ADA, body: callTool(1, 'whoami') });
    const text = await scrape(own);
    await own.close();

    expect(valueOf(text, String.raw`mcp_server_user_operations_total{user_id="a\"d\\a"}`)).toBe(1);
  });
});

describeWithRedis('the metric of Redis', () => {
  test('tells whether Redis is reachable', async () => {
    const redis = await startRedis(sandbox);
    const secret = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url');
    const env = { METRICS_TOKEN: TOKEN, SERVER_SECRET: secret, REDIS_URL: redis.url };
    const own = await startTestServer({ env });
    const series = 'mcp_server_dependency_up{dependency="redis"}';

    await eventually(async () => valueOf(await scrape(own), series) === 1);
    await redis.kill();
    await eventually(async () => valueOf(await scrape(own), series) === 0);
    const last = await scrape(own);
    await own.close();

    expect(valueOf(last, series)).toBe(0);
  });
});

(hasPromtool ? describe : describe.skip)('promtool', () => {
  test('finds no fault in the metrics', async () => {
    const input = await scrape(server);

    const output = execFileSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' });

    expect(output).toBe('');
  });
});

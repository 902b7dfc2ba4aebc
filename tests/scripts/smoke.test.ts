/** Tests of the smoke test against healthy servers: everything that applies passes, the rest says why it does not. */
import { afterEach, expect, jest, test } from '@jest/globals';
import { z } from 'zod';
import { defineTool } from '../../src/mcp/tool.ts';
import { smoke } from '../support/smoke-run.ts';
import {
  ADA,
  BOB,
  startTestServer,
  type TestServer,
  type TestServerOptions,
} from '../support/start-server.ts';

// A run takes seconds by nature: it waits for heartbeats. On a busy machine that adds up.
jest.setTimeout(60_000);

const servers: TestServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

/** A healthy server whose heartbeat need not be waited for. */
async function start({ env, ...rest }: TestServerOptions = {}): Promise<TestServer> {
  const server = await startTestServer({ ...rest, env: { SSE_KEEPALIVE_SECONDS: '1', ...env } });
  servers.push(server);
  return server;
}

test('passes every step of a protected server, with two users, mcp-remote and an idle stream', async () => {
  const { url } = await start();
  const args = ['--token', ADA, '--token2', BOB, '--expect-user', 'ada', '--mcp-remote', '--idle', '1.5'];

  const run = await smoke(url, ...args, '--timeout', '15');

  expect(run.ids('failed')).toEqual([]);
  expect(run.ids('skipped')).toEqual(['tls']);
  expect(run.exitCode).toBe(0);
  expect(run.step('sse-tools').detail).toBe('3 tools listed, the examples called, as ada');
  expect(run.step('mcp-remote').detail).toContain('as ada');
  expect(run.step('two-users').detail).toContain('ada and bob');
  expect(run.step('idle').detail).toMatch(/^survived \d s, with [1-9] heartbeats, and still answers$/);
});

test('leaves no session behind', async () => {
  const { url } = await start({ env: { MAX_SESSIONS_PER_USER: '3' } });

  for (let round = 0; round < 2; round += 1) {
    const run = await smoke(url, '--token', ADA, '--token2', BOB);
    expect(run.steps.filter(({ status }) => status === 'failed')).toEqual([]);
  }
});

test('skips what is about tokens when authentication is off on this machine, and says so', async () => {
  const { url } = await start({ env: { AUTH_ENABLED: 'false' } });

  const run = await smoke(url);

  expect(run.exitCode).toBe(0);
  for (const id of ['no-credential', 'wrong-credential', 'query-credential'])
    expect(run.step(id)).toMatchObject({ status: 'skipped', detail: 'authentication is off' });
  expect(run.step('session')).toMatchObject({ status: 'passed' });
});

test('skips what needs HTTP+SSE when it is off, and says so', async () => {
  const { url } = await start({ env: { SSE_ENABLED: 'false' } });

  const run = await smoke(url, '--token', ADA, '--token2', BOB, '--idle', '1');

  expect(run.exitCode).toBe(0);
  expect(run.ids('skipped')).toEqual([
    'tls',
    'sse-stream',
    'sse-tools',
    'mcp-remote',
    'sse-heartbeat',
    'idle',
  ]);
  expect(run.step('sse-stream').detail).toContain('SSE_ENABLED=false');
  expect(run.step('two-users')).toMatchObject({ status: 'passed' });
});

test("leaves a fork's own tools alone", async () => {
  const ownTool = defineTool({
    name: 'delete_everything',
    title: 'Delete',
    description: 'Must not be called.',
    input: z.object({}),
    run: () => {
      throw new Error('called');
    },
  });
  const server = await start({ tools: [ownTool] });

  const run = await smoke(server.url, '--token', ADA);

  expect(run.exitCode).toBe(0);
  expect(run.step('session').detail).toContain('the user was not checked');
  expect(server.lines.filter(({ msg }) => msg === 'tool call')).toEqual([]);
});

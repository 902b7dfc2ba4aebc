/** Tests of the smoke test against healthy servers: everything that applies passes, the rest says why it does not. */
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { z } from 'zod';
import { defineTool, type Tool } from '../../src/mcp/tool.ts';
import { PLAN } from '../../scripts/smoke/plan.ts';
import { startFaultyProxy } from '../support/faulty-proxy.ts';
import { testEach, testInCi } from '../support/in-ci.ts';
import { smoke } from '../support/smoke-run.ts';
import {
  ADA,
  BOB,
  startTestServer,
  type TestServer,
  type TestServerOptions,
} from '../support/start-server.ts';

/** The steps that --sign-in asks for. */
const SIGN_IN = ['sign-in', 'sign-in-client', 'sign-in-page', 'sign-in-tokens'];

// A run takes seconds by nature: it waits for heartbeats. On a busy machine that adds up.
jest.setTimeout(60_000);

const servers: Pick<TestServer, 'close'>[] = [];
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
  const args = [
    '--token',
    ADA,
    '--token2',
    BOB,
    '--expect-user',
    'ada',
    '--mcp-remote',
    '--idle',
    '2.5',
    '--instances',
    '1',
  ];

  const run = await smoke(url, ...args, '--timeout', '15');

  expect(run.ids('failed')).toEqual([]);
  expect(run.ids('skipped')).toEqual(['certificates', 'tls', ...SIGN_IN, 'restart']);
  expect(run.exitCode).toBe(0);
  expect(run.checks).toEqual({ ran: PLAN.length - 7, expected: PLAN.length - 7 });
  expect(run.step('identity').detail).toBe('ada (Ada Lovelace)');
  expect(run.step('sse-tools').detail).toBe('3 tools listed, whoami and get_greeting called, as ada');
  expect(run.step('mcp-remote').detail).toContain('as ada');
  expect(run.step('two-users').detail).toContain('ada and bob');
  expect(run.step('idle').detail).toMatch(
    /^survived \d s, and every stream still answers: HTTP\+SSE with [1-9] heartbeats, Streamable HTTP \(GET \/mcp\) with [1-9] heartbeats$/,
  );
});

describe('twice, where there is room for few sessions and small bodies, and the user id is short', () => {
  let server: TestServer;
  const runs: Awaited<ReturnType<typeof smoke>>[] = [];
  beforeAll(async () => {
    server = await startTestServer({
      env: { SSE_KEEPALIVE_SECONDS: '1', MAX_SESSIONS_PER_USER: '5', MAX_BODY_BYTES: '100000' },
      tokens: { [ADA]: { userId: 'me' }, [BOB]: { userId: 'bob' } },
    });
    const args = ['--token', ADA, '--token2', BOB, '--max-body', '4194304'];
    while (runs.length < 2) runs.push(await smoke(server.url, ...args));
  });
  afterAll(async () => server.close());

  test('leaves no session behind', () => {
    expect(runs.map(({ steps }) => steps.filter(({ status }) => status === 'failed'))).toEqual([[], []]);
  });

  test('finds a short user id in the answer of whoami, not in that of another tool', () => {
    expect(runs[0]?.step('identity').detail).toContain('me (me)');
    expect(runs[0]?.step('session').detail).toContain('whoami and get_greeting called, as me');
  });

  test("reads the limit on bodies from the server's refusal", () => {
    expect(runs[0]?.step('body-size')).toMatchObject({
      status: 'passed',
      detail: 'a message of 97.7 KiB is answered',
    });
  });
});

test('skips the steps about tokens when authentication is off on loopback, with the reason', async () => {
  const { url } = await start({ env: { AUTH_ENABLED: 'false' } });

  const run = await smoke(url);

  expect(run.exitCode).toBe(0);
  for (const id of [
    'no-credential',
    'wrong-credential',
    'query-credential',
    'near-tokens',
    'session-credential',
  ])
    expect(run.step(id)).toMatchObject({ status: 'skipped', detail: 'authentication is off' });
  expect(run.step('session')).toMatchObject({ status: 'passed' });
});

testInCi('skips the steps over HTTP+SSE when it is off, with the reason', async () => {
  const { url } = await start({ env: { SSE_ENABLED: 'false' } });

  const run = await smoke(url, '--token', ADA, '--token2', BOB, '--idle', '1');

  expect(run.exitCode).toBe(0);
  expect(run.ids('skipped')).toEqual([
    'certificates',
    'tls',
    'sse-stream',
    'sse-events',
    'sse-credential',
    'sse-tools',
    'mcp-remote',
    ...SIGN_IN,
    'sse-heartbeat',
    'instances',
    'sse-instances',
    'restart',
  ]);
  expect(run.step('sse-stream').detail).toContain('SSE_ENABLED=false');
  expect(run.step('idle').detail).toMatch(/^survived 1 s, and every stream still answers: Streamable HTTP/);
  expect(run.step('two-users')).toMatchObject({ status: 'passed' });
});

/** What a tool may say of whom it likes. */
function nameSomebody(): string {
  return '{"userId":"somebody"}';
}

/** A fork's tool. */
function ownTool(name: string, annotations: object, input: z.ZodObject = z.object({})): Tool {
  return defineTool({ name, title: name, description: name, input, annotations, run: nameSomebody });
}

testEach([
  ['no tool at all', [], 'no tools for this user'],
  [
    'tools that write, say nothing, or want input',
    [
      ownTool('delete_everything', { readOnlyHint: false, destructiveHint: true }),
      ownTool('says_nothing', {}),
      ownTool('wants_input', { readOnlyHint: true }, z.object({ id: z.string() })),
    ],
    'none is read-only and needs no input',
  ],
  [
    'a read-only tool that is silent about its user',
    [ownTool('list_books', { readOnlyHint: true })],
    'list_books called; the results do not name the user',
  ],
] as const)('passes a fork with %s, and calls only read-only tools', async (_what, tools, words) => {
  const server = await start({ tools });

  const run = await smoke(server.url, '--token', ADA, '--token2', BOB, '--expect-user', 'ada');

  expect(run.steps.filter(({ status }) => status === 'failed')).toEqual([]);
  expect(run.exitCode).toBe(0);
  expect(run.step('session').detail).toContain(words);
  const called = server.lines.filter(({ msg }) => msg === 'tool call').map(({ tool }) => tool);
  expect([...new Set(called)]).toEqual(words.startsWith('list_books') ? ['list_books'] : []);
});

testInCi(
  'passes through a plain reverse proxy, and stays far below the limit of refused credentials',
  async () => {
    const { url } = await start({ env: { AUTH_FAILURES_PER_MINUTE: '25' } });
    const proxy = await startFaultyProxy(url, {});
    servers.push({ close: async () => proxy.close().then(() => true) });

    const run = await smoke(proxy.url, '--token', ADA, '--token2', BOB);

    expect(run.steps.filter(({ status }) => status === 'failed')).toEqual([]);
  },
);

/** Tests of what the smoke test says of restarts, and of several instances behind a balancer: where all is well, and where sessions are forgotten. */
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, expect, jest, test } from '@jest/globals';
import { findFreePort } from '../support/free-port.ts';
import { leftToCi, testInCi } from '../support/in-ci.ts';
import { createSandbox, waitFor } from '../support/process.ts';
import { send } from '../support/raw-http.ts';
import { describeWithRedis, startRedis } from '../support/redis.ts';
import { startRoundRobin } from '../support/round-robin.ts';
import { smoke, smokeTold } from '../support/smoke-run.ts';
import { ADA, startTestServer, type TestServer } from '../support/start-server.ts';

// A run takes seconds by nature: it waits for heartbeats.
jest.setTimeout(60_000);

const SECRET = randomBytes(32).toString('base64url');
const USUAL = { SSE_KEEPALIVE_SECONDS: '1', SIGN_IN: 'false' };
const sandbox = createSandbox();
const running: { close(): unknown }[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map(async (one) => one.close()));
});
afterAll(async () => sandbox.close());

/** Starts a server, which ends with the test. */
async function start(env: Readonly<Record<string, string>>): Promise<TestServer> {
  const server = await startTestServer({ env: { ...USUAL, ...env } });
  running.push(server);
  return server;
}

/** Runs the smoke test against a server that is restarted when it asks for that. */
async function smokeThroughRestart(env: Readonly<Record<string, string>>) {
  const onPort = { ...env, PORT: String(await findFreePort()) };
  const first = await start(onPort);
  let restarted: Promise<unknown> | undefined;
  const run = await smokeTold(
    () => {
      running.splice(running.indexOf(first), 1);
      restarted = first.close().then(async () => start(onPort));
    },
    first.url,
    '--token',
    ADA,
    '--restart',
  );
  await restarted;
  return run;
}

/** Runs it against several servers behind a balancer. */
async function smokeBalanced(envs: readonly Readonly<Record<string, string>>[]) {
  const servers = await Promise.all(envs.map(async (env) => start(env)));
  for (const { url } of servers)
    await waitFor('a server that is ready', async () => (await send(`${url}/ready`)).status === 200);
  const balancer = await startRoundRobin(servers.map(({ url }) => url));
  running.push(balancer);
  return smoke(balancer.url, '--token', ADA, '--instances', String(servers.length));
}

test('a session that survives a restart passes', async () => {
  const kept = await smokeThroughRestart({ SERVER_SECRET: SECRET });

  expect(kept.step('restart')).toMatchObject({
    status: 'passed',
    detail: 'the session answers 20 calls after the restart',
  });
  expect(kept.exitCode).toBe(0);
});

testInCi('a session that is lost at a restart fails with the variable to set', async () => {
  const forgotten = await smokeThroughRestart({});

  expect(forgotten.ids('failed')).toEqual(['restart']);
  expect(forgotten.step('restart')).toMatchObject({
    detail: expect.stringContaining('the session is unknown (404)'),
    advice: expect.stringContaining('SERVER_SECRET'),
  });
  expect(forgotten.exitCode).toBe(1);
});

testInCi('instances that do not share sessions fail, with how often and the variable to set', async () => {
  const [strangers, withoutSse] = await Promise.all([
    smokeBalanced([{}, {}, {}]),
    smokeBalanced([{ SERVER_SECRET: SECRET }, { SERVER_SECRET: SECRET }]),
  ]);

  expect(strangers.step('instances')).toMatchObject({
    status: 'failed',
    detail: expect.stringMatching(
      /^40 of 60 calls of one session were refused \(40 × 404 session_not_found\)\.$/,
    ),
    advice: expect.stringContaining('SERVER_SECRET'),
  });
  expect(strangers.step('sse-instances')).toMatchObject({ status: 'failed' });
  expect(withoutSse.step('instances')).toMatchObject({ status: 'passed', detail: '40 of 40 calls answered' });
  expect(withoutSse.step('sse-instances')).toMatchObject({
    status: 'failed',
    detail: expect.stringContaining('of 40 messages of one HTTP+SSE session were refused'),
    advice: expect.stringContaining('REDIS_URL'),
  });
  expect(withoutSse.exitCode).toBe(1);
});

leftToCi(describeWithRedis)('with Redis', () => {
  test('every step passes through a balancer that sends each request elsewhere', async () => {
    const redis = await startRedis(sandbox);
    const env = { SERVER_SECRET: SECRET, REDIS_URL: redis.url };

    const run = await smokeBalanced([env, env, env]);

    expect(run.ids('failed')).toEqual([]);
    expect(run.step('instances').detail).toBe('60 of 60 calls answered');
    expect(run.step('sse-instances').detail).toBe('60 of 60 messages answered on the stream');
    expect(run.exitCode).toBe(0);
  });
});

/** Three real processes over a real Redis, behind a balancer that sends each request to the next one, with real clients. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CLIENT_KINDS, connectClient } from '../support/clients.ts';
import { leftToCi } from '../support/in-ci.ts';
import { createSandbox, waitFor } from '../support/process.ts';
import { describeWithRedis, startRedis } from '../support/redis.ts';
import { type RoundRobin, startRoundRobin } from '../support/round-robin.ts';
import { type ServerProcess, startServer, TOKEN, WITH_TOKENS } from '../support/server-process.ts';

/** As many as the processes get a dozen each of. */
const CALLS = 36;

/** What is loaded is told, module by module. */
const LOUD = { NODE_DEBUG: 'esm' };

const sandbox = createSandbox();
let servers: ServerProcess[];
let balancer: RoundRobin;

leftToCi(describeWithRedis)('three processes behind a balancer without stickiness', () => {
  beforeAll(async () => {
    const redis = await startRedis(sandbox);
    const SERVER_SECRET = randomBytes(32).toString('base64url');
    const env = { ...WITH_TOKENS.env, ...LOUD, SERVER_SECRET, REDIS_URL: redis.url };
    const starts = [1, 2, 3].map(async () => startServer(sandbox, { ...WITH_TOKENS, env }));
    servers = await Promise.all(starts);
    for (const { url } of servers)
      await waitFor('a server that is ready', async () => (await fetch(new URL('/ready', url))).ok);
    balancer = await startRoundRobin(servers.map(({ url }) => url));
  }, 60_000);
  afterAll(async () => {
    balancer.close();
    await sandbox.close();
  });

  test.each(CLIENT_KINDS)('answer every call of a %s client, as its user', async (kind) => {
    const before = [...balancer.counts];
    const [ada, bob] = await Promise.all(
      [TOKEN.ada, TOKEN.bob].map(async (token) => connectClient(kind, { url: balancer.url, token })),
    );

    const users: unknown[] = [];
    for (let call = 0; call < CALLS; call += 1) {
      const answers = await Promise.all([ada?.call('whoami'), bob?.call('whoami')]);
      users.push(...answers.map((answer) => (JSON.parse(answer?.text ?? '') as { userId: string }).userId));
    }
    await Promise.all([ada?.close(), bob?.close()]);

    expect(users).toEqual(Array.from({ length: CALLS }, () => ['ada', 'bob']).flat());
    const sent = balancer.counts.map((count, index) => count - (before[index] ?? 0));
    for (const count of sent) expect(count).toBeGreaterThan(CALLS / 2);
  });

  test('load no Redis client without REDIS_URL', async () => {
    const alone = await startServer(sandbox, { ...WITH_TOKENS, env: { ...WITH_TOKENS.env, ...LOUD } });

    expect(servers[0]?.stderr()).toContain('@redis/client');
    expect(alone.stderr()).not.toContain('@redis/client');
  });
});

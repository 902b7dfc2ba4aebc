/** Real clients during a `kill -9` and a restart: with SERVER_SECRET their sessions stay valid, and the start says what it is for. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from '@jest/globals';
import { connectClient } from '../support/clients.ts';
import { testInCi } from '../support/in-ci.ts';
import { createSandbox } from '../support/process.ts';
import {
  type ServerProcess,
  startServer,
  TOKEN,
  waitForLog,
  WITH_TOKENS,
} from '../support/server-process.ts';

const sandbox = createSandbox();
afterEach(async () => sandbox.close());

const SECRET = randomBytes(32).toString('base64url');

/** Starts the server, on a given port if it is to follow another one. */
async function start(env: Record<string, string>, port = 0): Promise<ServerProcess> {
  return startServer(sandbox, { ...WITH_TOKENS, env: { ...WITH_TOKENS.env, ...env, PORT: String(port) } });
}

/** Ends a server as a crash or a host does, without a word. */
async function kill({ child }: ServerProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

describe.each([
  ['v1 http', testInCi],
  ['v2 http', test],
] as const)('a %s client', (kind, testIt) => {
  testIt('keeps its session after kill -9 and a restart with the same secret', async () => {
    const first = await start({ SERVER_SECRET: SECRET });
    const client = await connectClient(kind, { url: first.url, token: TOKEN.ada });
    const before = await client.call('whoami');

    await kill(first);
    await start({ SERVER_SECRET: SECRET }, first.port);
    const after = await client.call('whoami');
    const { tools } = await client.listTools();
    await client.close();

    expect(after).toEqual(before);
    expect(JSON.parse(after.text)).toMatchObject({ userId: 'ada' });
    expect(tools.length).toBeGreaterThan(0);
  });

  testInCi('gets 404 after a restart without a secret', async () => {
    const first = await start({});
    const client = await connectClient(kind, { url: first.url, token: TOKEN.ada });

    await kill(first);
    await start({}, first.port);
    const called = client.call('whoami');

    await expect(called).rejects.toThrow(/404|No such session/);
    await client.close();
  });
});

describe('the start', () => {
  const ADVICE = /^Sessions end with this process\. Set SERVER_SECRET to what npm run token -- secret prints/;
  /** The lines of the start that speak of it. */
  const adviceOf = (server: ServerProcess): unknown[] =>
    server.log().flatMap(({ level, msg }) => (ADVICE.test(String(msg)) ? [level] : []));

  testInCi(
    'of a public server advises SERVER_SECRET once, and not when it is set or the server is local',
    async () => {
      const deployed = { HOST: '0.0.0.0', ALLOW_WEAK_TOKENS: 'true', LOG_LEVEL: 'debug' };
      const servers = [
        await start(deployed),
        await start({ ...deployed, SERVER_SECRET: SECRET }),
        await start({ LOG_LEVEL: 'debug' }),
      ];

      // Written after everything that the start has to say.
      for (const server of servers) await waitForLog(server, 'loaded ahead');

      expect(servers.map(adviceOf)).toEqual([['info'], [], []]);
    },
  );

  test('with an invalid secret fails with the command that makes one, and does not show the secret', async () => {
    const refused = start({ SERVER_SECRET: 'my-favourite-secret' });

    await expect(refused).rejects.toThrow(
      /SERVER_SECRET must be 32 or more random bytes[^]*npm run token -- secret/,
    );
    await expect(refused).rejects.not.toThrow('my-favourite-secret');
  });
});

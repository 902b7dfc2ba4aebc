/** Every kind of real client gets the same tools over every transport and revision, and each call runs as its own user. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CLIENT_KINDS, connectClient } from '../../support/clients.ts';
import { ADA, BOB, GREETER, startTestServer, type TestServer } from '../../support/start-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => {
  await server.close();
});

describe.each(CLIENT_KINDS)('a %s client', (kind) => {
  test('lists the tools in order and calls each of them as its user', async () => {
    const client = await connectClient(kind, { url: server.url, token: ADA });

    const { tools } = await client.listTools();
    const greeting = await client.call('get_greeting');
    const echo = await client.call('echo_message', { message: 'x'.repeat(1_048_576) });
    const me = await client.call('whoami');
    await client.close();

    expect(tools.map(({ name }) => name)).toEqual(['get_greeting', 'echo_message', 'whoami']);
    expect(greeting).toEqual({ text: 'Hello, Ada Lovelace!', isError: false });
    expect(echo.text).toHaveLength(1_048_576);
    expect(JSON.parse(me.text)).toMatchObject({
      userId: 'ada',
      transport: kind.endsWith('sse') ? 'sse' : 'streamable-http',
    });
  });

  test('neither lists nor calls a tool whose scope the token lacks', async () => {
    const client = await connectClient(kind, { url: server.url, token: GREETER });

    const { tools } = await client.listTools();
    const refused = await client.call('echo_message', { message: 'hi' });
    await client.close();

    expect(tools.map(({ name }) => name)).toEqual(['get_greeting', 'whoami']);
    expect(refused.isError).toBe(true);
    expect(refused.text).toContain('insufficient_scope');
  });

  test('is refused without a token and with an unknown one', async () => {
    await expect(connectClient(kind, { url: server.url })).rejects.toThrow(/401|nauthorized|invalid_token/);
    await expect(connectClient(kind, { url: server.url, token: 'tok_wrong' })).rejects.toThrow(
      /401|nauthorized|invalid_token/,
    );
  });
});

test('in twenty concurrent sessions of each of two users, no call runs as the other user', async () => {
  const users = [
    { token: ADA, userId: 'ada' },
    { token: BOB, userId: 'bob' },
  ];
  const sessions = users.flatMap((user) =>
    Array.from({ length: 20 }, (_, index) => ({
      ...user,
      kind: CLIENT_KINDS[index % CLIENT_KINDS.length] ?? 'v1 sse',
    })),
  );

  const seen = await Promise.all(
    sessions.map(async ({ kind, token, userId }) => {
      const client = await connectClient(kind, { url: server.url, token });
      const answers = await Promise.all(
        Array.from({ length: 5 }, async (_, index) => [
          await client.call('whoami'),
          await client.call('echo_message', { message: `${userId} ${index}` }),
        ]),
      );
      await client.close();
      return answers.flatMap(([me, echo], index) => [
        (JSON.parse(me?.text ?? '') as { userId: string }).userId === userId,
        echo?.text === `${userId} ${index}`,
      ]);
    }),
  );

  expect(seen.flat()).toHaveLength(400);
  expect(seen.flat().every(Boolean)).toBe(true);
});

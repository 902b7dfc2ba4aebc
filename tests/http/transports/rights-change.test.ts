/** Changed scopes in the token file apply from the next call on, and the clients concerned are notified. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ADA, BOB, startTestServer, type TestServer, TOKENS } from '../../support/start-server.ts';

let server: TestServer;
const clients: Client[] = [];
beforeEach(async () => {
  server = await startTestServer();
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map(async (client) => client.close()));
  await server.close();
});

/** A connected client that counts its notifications of a changed list of tools. */
async function connectListener(kind: 'sse' | 'http', token: string) {
  const client = new Client({ name: 'listener', version: '1.0.0' });
  const requestInit = { headers: { Authorization: `Bearer ${token}` } };
  const told = { times: 0 };
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
    told.times += 1;
  });
  await client.connect(
    kind === 'sse'
      ? new SSEClientTransport(new URL('/sse', server.url), { requestInit })
      : new StreamableHTTPClientTransport(new URL('/mcp', server.url), { requestInit }),
  );
  clients.push(client);
  const names = async (): Promise<string[]> => (await client.listTools()).tools.map(({ name }) => name);
  return { told, names };
}

/** Resolves when `condition` holds; fails after two seconds, the time in which a change must have been noticed. */
async function within2s(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = Date.now() + 2_000;
  while (!(await condition())) {
    if (Date.now() > deadlineMs) throw new Error('not within 2 s');
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}

test('notifies the sessions of a user whose scopes changed, on both transports, and nobody else', async () => {
  const adaOverSse = await connectListener('sse', ADA);
  const adaOverHttp = await connectListener('http', ADA);
  const bob = await connectListener('sse', BOB);
  const before = await adaOverSse.names();
  // The http client opens its stream right after its handshake: one round trip later it is open.
  await adaOverHttp.names();

  await server.writeTokens({ ...TOKENS, [ADA]: { userId: 'ada', name: 'Ada', scopes: ['greet'] } });
  await within2s(() => adaOverSse.told.times > 0 && adaOverHttp.told.times > 0);

  expect(before).toContain('echo_message');
  expect(await adaOverSse.names()).toEqual(['get_greeting', 'whoami']);
  expect(await adaOverHttp.names()).toEqual(['get_greeting', 'whoami']);
  expect(await bob.names()).toContain('echo_message');
  expect(bob.told.times).toBe(0);
});

test('notifies nobody of a changed name, and logs the ids of the tokens that a reload changed', async () => {
  const ada = await connectListener('sse', ADA);

  await server.writeTokens({
    ...TOKENS,
    [ADA]: { userId: 'ada', name: 'Countess' },
    tok_new_0123456789: { userId: 'new' },
  });
  await within2s(() => server.lines.some(({ msg }) => msg === 'token file reloaded'));

  const line = server.lines.find(({ msg }) => msg === 'token file reloaded');
  expect(line).toMatchObject({ added: 1, removed: 0, changed: 1, tokens: 6 });
  expect(line?.['changedIds']).toEqual([expect.stringMatching(/^[0-9a-f]{8}$/)]);
  await ada.names();
  expect(ada.told.times).toBe(0);
});

/** Users of an identity provider at the page for admins: the scope admin of the provider makes nobody an admin here. */
import type { Server } from 'node:http';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type MadeUpProvider, serveMadeUpProvider } from '../../support/made-up-provider.ts';
import { send } from '../../support/raw-http.ts';
import { startTestServer, type TestServer } from '../../support/start-server.ts';

const ADMIN = 'tok_admin_0123456789';

let provider: MadeUpProvider;
let listening: Server;
let server: TestServer;
beforeAll(async () => {
  ({ server: listening, provider } = await serveMadeUpProvider());
  server = await startTestServer({
    env: { OAUTH_ISSUER: provider.issuer },
    tokens: { [ADMIN]: { userId: 'tea', scopes: ['admin'] } },
  });
});
afterAll(async () => {
  await server.close();
  listening.close();
});

test('a user with the scope admin of the provider may call tools, and gets 403 from every part of the page', async () => {
  const token = await provider.sign({
    iss: provider.issuer,
    sub: 'eve',
    aud: `${server.url}/mcp`,
    exp: Math.floor(Date.now() / 1000) + 300,
    scope: 'admin',
  });
  const statusOf = async (path: string, bearer: string): Promise<number> =>
    (await send(`${server.url}${path}`, { headers: { Authorization: `Bearer ${bearer}` } })).status;

  expect(await statusOf('/tools', token)).toBe(200);
  for (const path of ['/admin', '/admin/api/people', '/admin/api/sessions'])
    expect([await statusOf(path, token), await statusOf(path, ADMIN)]).toEqual([403, 200]);
});

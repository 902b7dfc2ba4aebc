/** A client that an admin has signed in to, at the page for admins: it may call tools, but not manage tokens. */
import { expect, test } from '@jest/globals';
import { send } from '../../support/raw-http.ts';
import { newSecret, signIn } from '../../support/sign-in.ts';
import { startTestServer } from '../../support/start-server.ts';

const ADMIN = 'tok_admin_0123456789';

test("an access token from a sign-in gets 403 from every part of the page although its user is an admin; the admin's own token does not", async () => {
  const server = await startTestServer({
    env: { SERVER_SECRET: newSecret() },
    tokens: { [ADMIN]: { userId: 'tea', scopes: ['admin'] } },
  });
  const { access_token: token } = await signIn(server.url, ADMIN);
  const ask = async (path: string, bearer: string) => send(server.url + path, { token: bearer });

  const tools = await ask('/tools', token);
  const paths = ['/admin', '/admin/api/people', '/admin/api/sessions'];
  const refused = await Promise.all(paths.map(async (path) => ask(path, token)));
  const made = await send(`${server.url}/admin/api/tokens`, {
    token,
    body: { people: [{ user: 'eve', scopes: 'admin' }] },
  });
  const byItself = await Promise.all(paths.map(async (path) => ask(path, ADMIN)));
  await server.close();

  expect(tools.status).toBe(200);
  expect([...refused, made].map(({ status }) => status)).toEqual([403, 403, 403, 403]);
  expect(byItself.map(({ status }) => status)).toEqual([200, 200, 200]);
  // The challenge names no scope: no sign-in would help.
  expect(made.headers.get('www-authenticate')).toMatch(
    /error="insufficient_scope", error_description="A token that was issued by signing in does not open this[^"]+"$/,
  );
});

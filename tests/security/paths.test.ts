/** A token or session id in a path, where it does not belong: it opens nothing and does not reach the log. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually, send } from '../support/raw-http.ts';
import { ADA, startTestServer, type TestServer } from '../support/start-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => {
  await server.close();
});

/** The path that the log has for a request. */
async function loggedPath(path: string): Promise<unknown> {
  const { headers } = await send(`${server.url}${path}`);
  const id = headers.get('x-request-id');
  const find = () => server.lines.find(({ requestId, msg }) => requestId === id && msg === 'request');
  await eventually(() => find() !== undefined, { what: 'the log line' });
  return find()?.['path'];
}

test.each([
  [`/mcp/${ADA}`, '/mcp/[hidden]'],
  [`/${ADA}/mcp`, '/[hidden]/mcp'],
  ['/messages/96cfcd97-b896-45ea-80cb-9ada463d72c5', '/messages/[hidden]'],
  [`/.well-known/oauth-protected-resource/${encodeURIComponent(`${ADA}=`)}`, '/.well-known/oauth-protected-resource/[hidden]'],
  ['/.well-known/oauth-authorization-server/mcp', '/.well-known/oauth-authorization-server/mcp'],
  ['/tools', '/tools'],
  [`/${'a/'.repeat(400)}`, `/${'a/'.repeat(400)}`.slice(0, 200)],
])('%s is logged as %s', async (path, shown) => {
  expect(await loggedPath(path)).toBe(shown);
}); // prettier-ignore

test.each(['/mcp', '/tools', '/sse', '/messages'])('a token behind %s lets nobody in', async (path) => {
  const { status } = await send(`${server.url}${path}/${ADA}`);

  expect(status).toBe(404);
});

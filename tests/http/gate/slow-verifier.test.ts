/**
 * A verifier that asks another service may be slow or fail: requests wait for it, a client may disconnect meanwhile, and no client learns why it
 * failed.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createUserContext } from '../../../src/auth/user.ts';
import type { TokenVerifier, Verification } from '../../../src/auth/verifier.ts';
import { parseConfig } from '../../../src/config/config.ts';
import { REFUSED } from '../../../src/http/refusal-event.ts';
import { type RunningServer, startServer } from '../../../src/server/start-server.ts';
import { fixtureTools } from '../../../lab/fixture/tools.mjs';
import { createMemoryLog, type MemoryLog } from '../../support/memory-log.ts';
import { callTool, eventually, openMcpSession, openRaw, send } from '../../support/raw-http.ts';
import { openSse } from '../../support/sse-reader.ts';

let server: RunningServer;
/** The responses of the requests so far. */
let responses: ServerResponse[];
const note = (message: unknown): void =>
  void responses.push((message as { response: ServerResponse }).response);
/** The lines of the log. */
let lines: MemoryLog['lines'];
/** Calls of the verifier that wait for their answers. */
let asked: ((answer: Verification) => void)[];
/** Whether the verifier waits before it answers. */
let isSlow: boolean;
beforeEach(async () => {
  responses = [];
  subscribe('http.server.request.start', note);
  asked = [];
  isSlow = true;
  const verifier: TokenVerifier = {
    verify: (token) =>
      new Promise((resolve, reject) => {
        if (token === 'tok_breaks') reject(new Error('no secret-host at /srv/secret.json'));
        else if (isSlow) asked.push(resolve);
        else resolve(token === 'tok_right' ? ADA : { ok: false, reason: 'unknown' });
      }),
    isCurrent: () => true,
    hasValidToken: () => true,
  };
  const memory = createMemoryLog();
  ({ lines } = memory);
  const env = { PORT: '0', AUTH_ENABLED: 'true', AUTH_TOKENS: '{}', MAX_SESSIONS: '1' };
  server = await startServer({
    config: parseConfig(env),
    verifier,
    definition: { tools: fixtureTools },
    log: memory.log,
  });
});
afterEach(async () => {
  unsubscribe('http.server.request.start', note);
  await server.close();
});

const ADA: Verification = { ok: true, grant: { user: createUserContext({ userId: 'ada' }) } };

describe('a client that disconnects while its token is being verified', () => {
  test('is refused as client_gone instead of waiting for its body', async () => {
    const refusals: unknown[] = [];
    const noteRefusal = (refusal: unknown): void => void refusals.push(refusal);
    subscribe(REFUSED, noteRefusal);
    const connection = await openRaw(server.url);
    const head = 'POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer tok_right\r\n';
    connection.write(`${head}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`);
    await eventually(() => asked.length === 1);

    connection.socket.destroy();
    await eventually(() => responses.at(-1)?.destroyed === true);
    asked[0]?.(ADA);
    await eventually(() => refusals.length > 0);
    unsubscribe(REFUSED, noteRefusal);

    expect(refusals).toMatchObject([{ code: 'client_gone' }]);
  });

  test.each(['/sse', '/mcp'])('leaves no stream or session open on %s', async (path) => {
    const connection = await openRaw(server.url);
    connection.write(
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer tok_right\r\nMcp-Session-Id: x\r\n\r\n`,
    );
    await eventually(() => asked.length === 1);

    connection.socket.destroy();
    await eventually(() => responses.at(-1)?.destroyed === true);
    asked[0]?.(ADA);
    isSlow = false;
    const session = await openSse(server.url, 'tok_right');

    // The server allows one session in all.
    expect(session.status).toBe(200);
    session.close();
  });
});

test('each request gets the verdict on its own token, in whatever order verdicts arrive', async () => {
  const [first, second] = [
    send(`${server.url}/tools`, { token: 'tok_right' }),
    send(`${server.url}/tools`, { token: 'tok_right' }),
  ];
  await eventually(() => asked.length === 2);

  asked[1]?.({ ok: false, reason: 'disabled' });
  asked[0]?.(ADA);

  expect((await first).status).toBe(200);
  expect((await second).body).toMatchObject({ error: 'invalid_token' });
});

test('an error of the verifier is logged, and the client gets a 500 without its message', async () => {
  const answer = await send(`${server.url}/tools`, { token: 'tok_breaks' });

  const requestId = answer.headers.get('x-request-id');
  const unexpected = {
    error: 'internal_error',
    error_description: expect.stringContaining(String(requestId)),
  };
  expect(answer).toMatchObject({ status: 500, body: unexpected });
  expect(`${answer.text} ${JSON.stringify([...answer.headers])}`).not.toMatch(/secret| at |Error:/);
  expect(lines).toContainEqual(
    expect.objectContaining({
      requestId,
      msg: 'unexpected error',
      err: expect.objectContaining({ message: expect.stringContaining('secret-host') }),
    }),
  );
});

test('a tool call has the user that the verifier returned', async () => {
  isSlow = false;
  const session = await openMcpSession(server.url, 'tok_right');

  const answer = await session.post(callTool(1, 'whoami'));

  expect(answer.text).toContain('"userId":"ada"');
});

/** Tests of the smoke test against broken servers: each fault is found, named, and told by the exit code. */
import { createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { listenOnLoopback } from '../../lab/conformance/loopback.ts';
import { startHeaderProxy } from '../../lab/conformance/header-proxy.ts';
import { type Fault, startFaultyProxy, startFixedAnswer, startSelfSigned } from '../support/faulty-proxy.ts';
import { smoke } from '../support/smoke-run.ts';
import { ADA, BOB, startTestServer, type TestServer } from '../support/start-server.ts';

// A run takes seconds by nature: it waits for heartbeats. On a busy machine that adds up.
jest.setTimeout(60_000);

let healthy: TestServer;
beforeAll(async () => {
  healthy = await startTestServer({ env: { SSE_KEEPALIVE_SECONDS: '1' } });
});
afterAll(async () => {
  await healthy.close();
});

const faults: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  await Promise.all(faults.splice(0).map((one) => one.close()));
});

/** Remembers what is to be stopped after the test. */
async function keep<T extends { close(): Promise<unknown> }>(starting: Promise<T>): Promise<T> {
  const started = await starting;
  faults.push(started);
  return started;
}

/** A proxy with a fault in front of the healthy server. */
async function startFaulty(fault: Fault): Promise<string> {
  return (await keep(startFaultyProxy(healthy.url, fault))).url;
}

test('names a server that runs open, although a token was given', async () => {
  const open = await keep(startTestServer({ env: { AUTH_ENABLED: 'false', SSE_KEEPALIVE_SECONDS: '1' } }));

  const run = await smoke(open.url, '--token', ADA);

  expect(run.exitCode).toBe(1);
  expect(run.ids('failed')).toEqual(['no-credential']);
  expect(run.step('no-credential').detail).toContain('OPEN: /tools lets in callers');
});

test('names a proxy that adds the credential by itself, and so opens the server', async () => {
  const proxy = await keep(startHeaderProxy(new URL(healthy.url), ADA));

  const run = await smoke(proxy.url, '--token', ADA);

  expect(run.exitCode).toBe(1);
  expect(run.ids('failed')).toEqual(['no-credential', 'wrong-credential', 'query-credential']);
  for (const id of run.ids('failed')) expect(run.step(id).detail).toContain('OPEN');
});

test.each(['before the head', 'after the head'])('names a proxy that buffers streams, %s', async (where) => {
  const url = await startFaulty({
    answer({ upstream, res, forward, forwardHead }) {
      if (upstream.headers['content-type'] !== 'text/event-stream') return forward();
      if (where === 'after the head') forwardHead();
      const held: Buffer[] = [];
      upstream.on('data', (piece: Buffer) => held.push(piece)).on('end', () => res.end(Buffer.concat(held)));
    },
  });

  const run = await smoke(url, '--token', ADA);

  expect(run.exitCode).toBe(1);
  expect(run.ids('failed')).toEqual(['sse-stream']);
  expect(run.step('sse-stream').detail).toContain('a buffering proxy');
  expect(run.step('sse-tools')).toMatchObject({ status: 'skipped', detail: 'there is no stream, see above' });
});

test('names a stream that is dead after its first event', async () => {
  const url = await startFaulty({
    answer({ incoming, upstream, res, forward, forwardHead }) {
      if (incoming.url !== '/sse' || upstream.statusCode !== 200) return forward();
      forwardHead();
      upstream.once('data', (first: Buffer) => res.write(first));
      upstream.resume();
    },
  });

  const run = await smoke(url, '--token', ADA);

  expect(run.exitCode).toBe(1);
  expect(run.ids('failed')).toEqual(['sse-tools', 'sse-heartbeat']);
  expect(run.step('sse-tools')).toMatchObject({ detail: 'No answer came within 3 s.' });
  expect(run.step('sse-tools').advice).toContain('The stream is dead');
  expect(run.step('sse-heartbeat').detail).toContain('Dead stream');
});

test('names a host that cuts idle streams, and after how long', async () => {
  const url = await startFaulty({
    answer({ incoming, res, forward }) {
      forward();
      if (incoming.url !== '/sse') return;
      const timer = setTimeout(() => res.destroy(), 800);
      res.once('close', () => clearTimeout(timer));
    },
  });

  const run = await smoke(url, '--token', ADA, '--idle', '3', '--heartbeat', '5');

  expect(run.exitCode).toBe(1);
  expect(run.ids('failed')).toEqual(['sse-heartbeat', 'idle']);
  expect(run.step('sse-heartbeat').detail).toContain('The stream was closed');
  expect(run.step('idle').detail).toBe('The stream was closed after 1 s.');
});

test('names the wrong user on every transport', async () => {
  const run = await smoke(healthy.url, '--token', ADA, '--expect-user', 'bob');

  expect(run.exitCode).toBe(1);
  expect(run.ids('failed')).toEqual(['sse-tools', 'session', 'stateless']);
  expect(run.step('session').detail).toBe('Wrong user: calls run as ada, not as bob.');
});

test('names a server that lets one user into the session of another', async () => {
  const owners = new Map<string, string | undefined>();
  const url = await startFaulty({
    changeRequest({ headers }) {
      const owner = owners.get(String(headers['mcp-session-id']));
      if (owner !== undefined) headers.authorization = owner;
    },
    answer({ incoming, upstream, forward }) {
      const id = upstream.headers['mcp-session-id'];
      if (id !== undefined && !owners.has(String(id))) owners.set(String(id), incoming.headers.authorization);
      forward();
    },
  });

  const run = await smoke(url, '--token', ADA, '--token2', BOB);

  expect(run.exitCode).toBe(1);
  expect(run.ids('failed')).toEqual(['two-users']);
  expect(run.step('two-users')).toMatchObject({
    detail: 'POST /mcp is let in (status 200), where 404 should come.',
  });
  expect(run.step('two-users').advice).toContain('take the deployment offline');
});

test.each([
  [
    502,
    'text/html',
    '<html><title>502 Bad Gateway</title>',
    'an HTML page ("502 Bad Gateway")',
    'no running server',
  ],
  [200, 'text/html', '<!doctype html><title>Welcome</title>', 'an HTML page ("Welcome")', 'check the URL'],
  [301, 'text/plain', 'Moved', 'Status 301', 'It redirects to https://elsewhere.example/'],
  [
    403,
    'application/json',
    '{"error":"forbidden_host","error_description":"Foreign."}',
    'Foreign.',
    'PUBLIC_URL',
  ],
])('names what answers in place of the server: %i with %s', async (status, type, body, detail, advice) => {
  const { url } = await keep(startFixedAnswer(status, type, body));

  const run = await smoke(url, '--token', ADA);

  expect(run.exitCode).toBe(1);
  expect(run.ids('failed')).toEqual(['health']);
  expect(run.step('health').detail).toContain(detail);
  expect(run.step('health').advice).toContain(advice);
});

test('hides a token that the server sends back', async () => {
  const echo = JSON.stringify({ error: 'odd', error_description: `Unknown: ${ADA}` });
  const { url } = await keep(startFixedAnswer(500, 'application/json', echo));

  const run = await smoke(url, '--token', ADA);

  expect(run.step('health').detail).toContain('Unknown: <token>');
});

test('names a certificate that nobody has vouched for', async () => {
  const { url } = await keep(startSelfSigned());

  const run = await smoke(url, '--token', ADA);

  expect(run.exitCode).toBe(2);
  expect(run.step('health').detail).toBe('TLS error: the certificate is self-signed.');
});

test('names an address where nothing listens', async () => {
  const probe = createServer();
  const port = await listenOnLoopback(probe);
  await new Promise((resolve) => {
    probe.close(resolve);
  });

  const run = await smoke(`http://127.0.0.1:${port}`);

  expect(run.exitCode).toBe(2);
  expect(run.step('health').detail).toBe('The connection was refused: nothing listens there.');
});

test('names a server that accepts and never answers', async () => {
  const silent = createServer();
  const port = await listenOnLoopback(silent);

  const run = await smoke(`http://127.0.0.1:${port}`);
  silent.close();

  expect(run.exitCode).toBe(2);
  expect(run.step('health').detail).toBe('No answer came within 3 s.');
});

test('names a token that was forgotten, and one that is refused', async () => {
  const forgotten = await smoke(healthy.url);
  const refused = await smoke(healthy.url, '--token', 'tok_expired_0123456789');

  expect([forgotten.exitCode, refused.exitCode]).toEqual([1, 1]);
  expect(forgotten.step('tools').advice).toContain('SMOKE_TOKEN');
  expect(refused.step('tools').detail).toContain('The token has expired.');
  expect(refused.ids('skipped')).toContain('others');
});

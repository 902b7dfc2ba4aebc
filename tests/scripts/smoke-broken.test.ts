/** Tests of the smoke test against broken servers: each fault is found, named, and told by the exit code. */
import { createServer } from 'node:net';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { listenOnLoopback } from '../../lab/conformance/loopback.ts';
import { startHeaderProxy } from '../../lab/conformance/header-proxy.ts';
import { type Fault, startFaultyProxy, startFixedAnswer, startSelfSigned } from '../support/faulty-proxy.ts';
import { unexpected } from '../../scripts/smoke/http.ts';
import { PLAN } from '../../scripts/smoke/plan.ts';
import { BROWSER_FAULTS, OPEN_FAULTS, PROXY_FAULTS } from '../support/smoke-faults.ts';
import { amountOf } from '../support/reduced.mjs';
import { SideBySide } from '../support/side-by-side.ts';
import { smoke, smokeIn } from '../support/smoke-run.ts';
import { ADA, BOB, startTestServer, type TestServer } from '../support/start-server.ts';

// A run takes seconds by nature: it waits for heartbeats. On a busy machine that adds up.
jest.setTimeout(240_000);

let healthy: TestServer;
beforeAll(async () => {
  // One run stays far below the limit of refused credentials; dozens in a minute do not.
  const env = { SSE_KEEPALIVE_SECONDS: '1', AUTH_FAILURES_PER_MINUTE: '100000' };
  healthy = await startTestServer({ env });
});
afterAll(async () => {
  await healthy.close();
});

const checks = new SideBySide();
const faults: { close(): Promise<unknown> }[] = [];
afterAll(async () => {
  await Promise.all(faults.map((one) => one.close()));
});

/** Remembers what is to be stopped after the tests. */
async function keep<T extends { close(): Promise<unknown> }>(starting: Promise<T>): Promise<T> {
  const started = await starting;
  faults.push(started);
  return started;
}

/** A proxy with a fault in front of the healthy server. */
async function startFaulty(fault: Fault): Promise<string> {
  return (await keep(startFaultyProxy(healthy.url, fault))).url;
}

checks.addEach(
  [...OPEN_FAULTS, ...BROWSER_FAULTS, ...PROXY_FAULTS],
  ({ what }) => `names ${what}`,
  async ({ fault, args = [], failed, detail, advice }) => {
    const url = await startFaulty(fault());

    const run = await smoke(url, '--token', ADA, ...args);

    expect(run.exitCode).toBe(1);
    expect(run.ids('failed')).toEqual(failed);
    expect(run.step(failed[0] ?? '')).toMatchObject({
      detail: expect.stringMatching(detail),
      advice: expect.stringMatching(advice),
    });
  },
);

checks.add(
  'names checks that pass because certificates are not checked here, before any token is sent',
  async () => {
    const { url } = await keep(startSelfSigned());

    const run = await smokeIn({ NODE_TLS_REJECT_UNAUTHORIZED: '0' }, url, '--token', ADA);

    expect(run.exitCode).toBe(1);
    expect(run.ids('failed')).toEqual(['certificates']);
    expect(run.step('certificates').detail).toContain('NODE_TLS_REJECT_UNAUTHORIZED=0 is set');
    expect(run.step('health').status).toBe('blocked');
  },
);

checks.add('names a proxy that adds a path, which the server does not know', async () => {
  const url = await startFaulty({
    changeRequest: (incoming) => {
      incoming.url = incoming.url?.replace(/^\/app\//, '/');
    },
  });

  const run = await smoke(`${url}/app/mcp/`, '--token', ADA);

  expect(run.ids('failed')).toEqual(['sse-stream']);
  expect(run.step('sse-stream').detail).toMatch(
    /^The stream sends its messages to .*\/messages, outside .*\/app\/\.$/,
  );
  expect(run.step('sse-stream').advice).toContain('PUBLIC_URL');
});

test('each step of the plan is one that a test has seen fail', () => {
  const inTables = [...OPEN_FAULTS, ...BROWSER_FAULTS, ...PROXY_FAULTS].flatMap(({ failed }) => failed);
  // By tests of their own: in this file, and judgeCertificate for tls. What mcp-remote says when it fails is its own.
  const elsewhere = ['certificates', 'health', 'tls', 'tools', 'identity', 'sse-stream', 'sse-tools', 'sse-heartbeat', 'idle', 'mcp-remote']; // prettier-ignore

  const signIn = ['sign-in', 'sign-in-client', 'sign-in-page', 'sign-in-tokens']; // smoke-sign-in.test.ts
  const scale = ['instances', 'sse-instances', 'restart']; // smoke-scale.test.ts

  const seen = new Set([...inTables, ...elsewhere, ...signIn, ...scale]);

  expect(PLAN.map(({ id }) => id).filter((id) => !seen.has(id))).toEqual([]);
});

checks.add('names a path that leads nowhere, and the address that was meant', async () => {
  const run = await smoke(`${healthy.url}/mpc`, '--token', ADA);

  expect(run.exitCode).toBe(1);
  expect(run.step('health').detail).toBe('The server does not answer under /mpc/ (status 404).');
  expect(run.step('health').advice).toContain(`The server answers at ${healthy.url}`);
});

checks.add('names a server that runs open, although a token was given', async () => {
  const open = await keep(startTestServer({ env: { AUTH_ENABLED: 'false', SSE_KEEPALIVE_SECONDS: '1' } }));

  const run = await smoke(open.url, '--token', ADA);

  expect(run.exitCode).toBe(1);
  expect(run.ids('failed')).toEqual(['no-credential']);
  expect(run.step('no-credential').detail).toContain('OPEN: /tools accepts callers');
});

checks.add('names a proxy that adds the credential by itself, and so opens the server', async () => {
  const proxy = await keep(startHeaderProxy(new URL(healthy.url), { token: ADA }));

  const run = await smoke(proxy.url, '--token', ADA);

  expect(run.exitCode).toBe(1);
  expect(run.ids('failed')).toEqual(
    expect.arrayContaining(['no-credential', 'wrong-credential', 'other-headers', 'query-credential']),
  );
  for (const id of run.ids('failed')) expect(run.step(id).detail).toContain('OPEN');
});

checks.addEach(
  ['before the head', 'after the head'],
  (where) => `names a proxy that buffers streams, ${where}`,
  async (where) => {
    const url = await startFaulty({
      answer({ upstream, res, forward, forwardHead }) {
        if (upstream.headers['content-type'] !== 'text/event-stream') return forward();
        if (where === 'after the head') forwardHead();
        const held: Buffer[] = [];
        upstream
          .on('data', (piece: Buffer) => held.push(piece))
          .on('end', () => res.end(Buffer.concat(held)));
      },
    });

    const run = await smoke(url, '--token', ADA);

    expect(run.exitCode).toBe(1);
    expect(run.ids('failed').slice(0, 1)).toEqual(['sse-stream']);
    expect(run.step('sse-stream').detail).toContain('a buffering proxy');
    expect(run.step('sse-stream').advice).toContain('nginx: proxy_buffering off');
    expect(run.step('sse-tools').status).toBe('blocked');
  },
);

checks.add('names a stream that is dead after its first event', async () => {
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
  expect(run.ids('failed')).toEqual(['sse-events', 'sse-tools', 'sse-heartbeat']);
  expect(run.step('sse-tools')).toMatchObject({ detail: 'No answer came within 3 s.' });
  expect(run.step('sse-tools').advice).toContain('The stream is dead');
  expect(run.step('sse-heartbeat').detail).toContain('Dead stream');
});

checks.add('names a host that cuts idle streams, and after how long', async () => {
  const url = await startFaulty({
    answer({ incoming, res, forward }) {
      forward();
      if (incoming.method !== 'GET' || !['/sse', '/mcp'].includes(incoming.url ?? '')) return;
      const timer = setTimeout(() => res.destroy(), 800);
      res.once('close', () => clearTimeout(timer));
    },
  });

  const run = await smoke(url, '--token', ADA, '--idle', '3', '--heartbeat', '3');

  expect(run.exitCode).toBe(1);
  expect(run.ids('failed')).toEqual(['sse-heartbeat', 'session-heartbeat', 'idle']);
  expect(run.step('sse-heartbeat').detail).toContain('The stream was closed');
  expect(run.step('idle').detail).toBe(
    'The stream of HTTP+SSE was closed after 1 s. The stream of Streamable HTTP (GET /mcp) was closed after 1 s.',
  );
});

checks.add('names the wrong user', async () => {
  const run = await smoke(healthy.url, '--token', ADA, '--expect-user', 'bob');

  expect(run.exitCode).toBe(1);
  expect(run.ids('failed')).toEqual(['identity']);
  expect(run.step('identity').detail).toBe('Wrong user: the token belongs to ada, not to bob.');
});

checks.addEach(
  [
    [['authorization'], 'The same token as x-api-key is accepted.', 'clients can send x-api-key'],
    [['authorization', 'x-api-key'], 'As x-api-key it does not arrive either.', 'proxy_set_header'],
  ] as const,
  ([names]) => `names a proxy that takes ${names.join()} away, and tries another header`,
  async ([names, outcome, advice]) => {
    const url = await startFaulty({
      changeRequest: ({ headers }) => names.forEach((name) => void Reflect.deleteProperty(headers, name)),
    });

    const run = await smoke(url, '--token', ADA);

    expect(run.step('tools').detail).toContain(
      `something on the way removes the Authorization header. ${outcome}`,
    );
    expect(run.step('tools').advice).toContain(advice);
  },
);

checks.addEach(
  [
    ['too_many_failures', 'TRUST_PROXY'],
    ['too_many_sessions', 'MAX_SESSIONS_PER_USER'],
    ['slow_down', 'A proxy limits requests'],
  ] as const,
  ([code]) => `tells a 429 ${code} from others`,
  async ([code, advice]) => {
    const body = JSON.stringify({ error: code, error_description: 'Too many.' });
    const { url } = await keep(startFixedAnswer(429, 'application/json', body));

    const run = await smoke(url, '--token', ADA);

    expect(run.step('health').advice).toContain(advice);
  },
);

const VALID = new Set([ADA, BOB].map((token) => `Bearer ${token}`));

checks.add('names a server that lets one user into the session of another', async () => {
  const owners = new Map<string, string | undefined>();
  const url = await startFaulty({
    changeRequest({ headers }) {
      const owner = owners.get(String(headers['mcp-session-id']));
      if (owner !== undefined && VALID.has(headers.authorization ?? '')) headers.authorization = owner;
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
    detail: expect.stringMatching(/^Calls of bob run as|POST \/mcp is accepted \(status 200\)/),
  });
  expect(run.step('two-users').advice).toContain('take the deployment offline');
});

checks.addEach(
  [
    [
      502,
      'text/html',
      '<html><title>502 Bad Gateway</title>',
      'an HTML page ("502 Bad Gateway")',
      'no server runs',
    ],
    [200, 'text/html', '<!doctype html><title>Welcome</title>', 'an HTML page ("Welcome")', 'check the URL'],
    [301, 'text/plain', 'Moved', 'status 301', 'It redirects to https://elsewhere.example/?…. A login'],
    [
      403,
      'application/json',
      '{"error":"forbidden_host","error_description":"Foreign."}',
      'Foreign.',
      'a proxy replaces the Host header',
    ],
  ] as const,
  ([status, type]) => `names what answers in place of the server: ${status} with ${type}`,
  async ([status, type, body, detail, advice]) => {
    const { url } = await keep(startFixedAnswer(status, type, body));

    const run = await smoke(url, '--token', ADA);

    expect(run.exitCode).toBe(1);
    expect(run.ids('failed')).toEqual(['health']);
    expect(run.step('health').detail).toContain(detail);
    expect(run.step('health').advice).toContain(advice);
  },
);

test.each([
  ['a server that has moved', 'https://new.example/health?code=secret', /^It redirects to https:\/\/new\.example\/health\?…\. Use that .* or leads back here/],
  ['another scheme or port', 'https://my-app.example:8443/health', /^It redirects to https:\/\/my-app\.example:8443\/health\. Use that address: [^.]*\.$/],
  ['another path', '/mcp-app/health/', /^It redirects to https:\/\/my-app\.example\/mcp-app\/health\/\. Use that address/],
  ['a circle', '/health#here', /the very same address, for ever.*X-Forwarded-Proto/],
  ['plain HTTP', 'http://my-app.example/health', /unencrypted: never use that address.*X-Forwarded-Proto/],
  ['a login page', '/login?next=secret', /^It redirects to https:\/\/my-app\.example\/login\?…\. A login .* must not/],
  ['no address', undefined, /without an address/],
  ['what is none', 'https://[', /without an address/],
])('a redirect is told by where it leads: %s', (_what, location, advice) => {
  const headers = new Headers(location === undefined ? {} : { location });
  const url = new URL('https://my-app.example/health');

  const failure = unexpected({ url, status: 302, headers, text: '', durationMs: 1 }, '200 with JSON');

  expect(failure.advice).toMatch(advice);
  expect(failure.advice).not.toContain('secret');
}); // prettier-ignore

checks.add('hides a token that the server sends back', async () => {
  const echo = JSON.stringify({ error: 'odd', error_description: `Unknown: ${ADA}` });
  const { url } = await keep(startFixedAnswer(500, 'application/json', echo));

  const run = await smoke(url, '--token', ADA);

  expect(run.step('health').detail).toContain('Unknown: <token>');
});

checks.add('names a certificate that nobody has vouched for', async () => {
  const { url } = await keep(startSelfSigned());

  const run = await smoke(url, '--token', ADA);

  expect(run.exitCode).toBe(2);
  expect(run.step('health').detail).toBe('TLS error: the certificate is self-signed.');
});

checks.add('names an address where nothing listens', async () => {
  const probe = createServer();
  const port = await listenOnLoopback(probe);
  await new Promise((resolve) => {
    probe.close(resolve);
  });

  const run = await smoke(`http://127.0.0.1:${port}`);

  expect(run.exitCode).toBe(2);
  expect(run.step('health').detail).toBe('The connection was refused: nothing listens there.');
  expect(run.step('health').advice).toContain('If others are to reach it');
});

checks.add('names a server that accepts and never answers', async () => {
  const silent = createServer();
  const port = await listenOnLoopback(silent);

  const run = await smoke(`http://127.0.0.1:${port}`);
  silent.close();

  expect(run.exitCode).toBe(2);
  expect(run.step('health').detail).toBe('No answer came within 3 s.');
});

checks.add('names a token that was forgotten, and one that is refused', async () => {
  const forgotten = await smoke(healthy.url);
  const refused = await smoke(healthy.url, '--token', 'tok_expired_0123456789');

  expect([forgotten.exitCode, refused.exitCode]).toEqual([1, 1]);
  expect(forgotten.step('tools').advice).toContain('SMOKE_TOKEN');
  expect(refused.step('tools').detail).toContain('The token has expired.');
  expect(refused.ids('blocked')).toContain('session');
  expect(refused.checks.ran).toBeLessThan(refused.checks.expected);
});

test('each fault is found, named, and told by the exit code', async () => {
  const amount = amountOf('brokenDeployments');

  expect(await checks.run(amount)).toBe(amount);
});

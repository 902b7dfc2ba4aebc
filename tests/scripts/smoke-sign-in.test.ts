/** `npm run smoke -- --sign-in`: it signs in at a healthy server, and names what is wrong with one that is broken in one way. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CheckFailure } from '../../scripts/smoke/outcome.ts';
import { type Discovered, discoverSignIn, registerClient } from '../../scripts/smoke/sign-in.ts';
import { signInOnPage, useSignIn } from '../../scripts/smoke/sign-in-page.ts';
import { PLAN } from '../../scripts/smoke/plan.ts';
import { type Exchange, type Fault, startFaultyProxy } from '../support/faulty-proxy.ts';
import { findFreePort } from '../support/free-port.ts';
import { testInCi } from '../support/in-ci.ts';
import { startRoundRobin } from '../support/round-robin.ts';
import { newSecret } from '../support/sign-in.ts';
import { smoke } from '../support/smoke-run.ts';
import { ADA, BOB, startTestServer, type TestServer } from '../support/start-server.ts';

let healthy: TestServer;
beforeAll(async () => {
  const env = { SERVER_SECRET: newSecret(), SSE_KEEPALIVE_SECONDS: '1', AUTH_FAILURES_PER_MINUTE: '100000' };
  healthy = await startTestServer({ env });
});
afterAll(async () => healthy.close());

/** Signs in as the steps of the plan do, without the rest of the plan. */
async function signIn(address: string): Promise<string[]> {
  const target = { url: new URL(`${address}/`), token: ADA, timeoutMs: 3_000 };
  const discovered = await discoverSignIn(target);
  const registered = await registerClient(target, discovered);
  const allowed = await signInOnPage(target, discovered, registered);
  const used = await useSignIn(target, discovered, { ...registered, ...allowed });
  return [discovered, registered, allowed, used].map(({ detail }) => detail);
}

test('with --sign-in signs in, calls, refreshes and revokes', async () => {
  const run = await smoke(healthy.url, '--token', ADA, '--sign-in');

  expect({ exitCode: run.exitCode, failed: run.ids('failed') }).toEqual({ exitCode: 0, failed: [] });
  expect(run.step('sign-in-tokens').detail).toBe('as ada: called, refreshed, ended');
  expect(run.ids('passed').filter((id) => id.startsWith('sign-in'))).toEqual(
    PLAN.map(({ id }) => id).filter((id) => id.startsWith('sign-in')),
  );
});

testInCi('without --sign-in skips signing in, with the reason', async () => {
  const run = await smoke(healthy.url, '--token', ADA);

  expect(run.step('sign-in')).toMatchObject({ status: 'skipped', detail: '--sign-in was not given' });
});

test('does not check an identity provider at which users sign in', async () => {
  const discovered = await discoverAt({
    answer: (exchange) =>
      editJson(exchange, '/.well-known/oauth-protected-resource/mcp', (body) => ({
        ...body,
        authorization_servers: ['https://id.example'],
      })),
  });

  expect(discovered).toMatchObject({
    isHere: false,
    detail: 'users sign in at https://id.example, which is not checked',
  });
});

/** What is found out through a proxy with a fault. */
async function discoverAt(fault: Fault): Promise<Discovered> {
  const proxy = await startFaultyProxy(healthy.url, fault);
  try {
    return await discoverSignIn({ url: new URL(`${proxy.url}/`), token: ADA, timeoutMs: 3_000 });
  } finally {
    await proxy.close();
  }
}

/** Changes the JSON of one path. */
function editJson(
  { incoming, upstream, res, forward }: Exchange,
  path: string,
  edit: (body: Readonly<Record<string, unknown>>) => object,
): void {
  if (incoming.url !== path) return forward();
  let text = '';
  upstream.on('data', (part: Buffer) => (text += part.toString()));
  upstream.on('end', () => {
    const { 'content-length': _length, ...headers } = upstream.headers;
    res.writeHead(upstream.statusCode ?? 500, headers);
    res.end(JSON.stringify(edit(JSON.parse(text) as Readonly<Record<string, unknown>>)));
  });
}

/** Whether a request is one to the page. */
const isPage = ({ incoming }: Exchange): boolean => incoming.url?.startsWith('/authorize') === true;

/** Answers in place of the server. */
function answerInPlace(
  { upstream, res }: Exchange,
  status: number,
  headers: Record<string, string>,
  body = '',
): void {
  upstream.resume();
  res.writeHead(status, headers).end(body);
}

const DOCUMENT = '/.well-known/oauth-authorization-server';

describe('reports', () => {
  const faults: readonly (readonly [string, Fault, RegExp])[] = [
    [
      'a proxy that takes WWW-Authenticate away',
      { answer: ({ upstream, forward }) => (delete upstream.headers['www-authenticate'], forward()) },
      /does not say where to sign in/,
    ],
    [
      'a server that believes to be elsewhere',
      {
        answer: (exchange) =>
          editJson(exchange, '/.well-known/oauth-protected-resource/mcp', (body) => ({
            ...body,
            resource: 'https://other.example/mcp',
          })),
      },
      /metadata names the resource https:\/\/other\.example\/mcp/,
    ],
    [
      'the document of another issuer',
      {
        answer: (exchange) =>
          editJson(exchange, DOCUMENT, (body) => ({ ...body, issuer: 'https://other.example' })),
      },
      /names the issuer https:\/\/other\.example/,
    ],
    [
      'a document without S256',
      {
        answer: (exchange) =>
          editJson(exchange, DOCUMENT, (body) => ({ ...body, code_challenge_methods_supported: ['plain'] })),
      },
      /does not offer S256/,
    ],
    [
      'endpoints at another address',
      {
        answer: (exchange) =>
          editJson(exchange, DOCUMENT, (body) => ({
            ...body,
            registration_endpoint: 'https://other.example/register',
          })),
      },
      /sends clients to https:\/\/other\.example/,
    ],
    [
      'a server that registers whatever address it is told',
      {
        answer: (exchange) =>
          exchange.incoming.url === '/register'
            ? answerInPlace(exchange, 201, { 'Content-Type': 'application/json' }, '{"client_id":"any"}')
            : exchange.forward(),
      },
      /^OPEN: a redirect_uri of somebody else/,
    ],
    [
      'a page that sends codes to whatever address it is told',
      {
        answer: (exchange) =>
          exchange.incoming.url?.includes('smoke-test.invalid') === true
            ? answerInPlace(exchange, 303, { Location: 'https://smoke-test.invalid/callback?code=1' })
            : exchange.forward(),
      },
      /^OPEN: a redirect_uri of somebody else .*\(status 303\)/,
    ],
    [
      'a page that can be framed',
      {
        answer(exchange) {
          if (isPage(exchange)) {
            delete exchange.upstream.headers['content-security-policy'];
            delete exchange.upstream.headers['x-frame-options'];
          }
          exchange.forward();
        },
      },
      /may be framed/,
    ],
    [
      'a Referrer-Policy that has browsers hide where the form comes from',
      {
        answer(exchange) {
          exchange.upstream.headers['referrer-policy'] = 'no-referrer';
          exchange.forward();
        },
      },
      /Browsers will not send the form/,
    ],
    [
      'a proxy that rewrites the way back',
      {
        answer(exchange) {
          const { headers } = exchange.upstream;
          headers.location &&= headers.location.replace('127.0.0.1:3118', 'my-app.example');
          exchange.forward();
        },
      },
      /another address than the client asked for/,
    ],
    [
      'a way back that names another issuer',
      {
        answer(exchange) {
          const { headers } = exchange.upstream;
          headers.location &&= headers.location.replace(/iss=[^&]+/, 'iss=x');
          exchange.forward();
        },
      },
      /names another issuer/,
    ],
    [
      'tokens that a cache may keep',
      {
        answer(exchange) {
          if (exchange.incoming.url === '/token') exchange.upstream.headers['cache-control'] = 'public';
          exchange.forward();
        },
      },
      /without Cache-Control: no-store/,
    ],
    [
      'a proxy that gives requests a credential of its own',
      {
        changeRequest({ headers }) {
          if (headers.authorization?.startsWith('Bearer mcp_at_') === true)
            headers.authorization = `Bearer ${BOB}`;
        },
      },
      /belongs to another user than the token that was pasted/,
    ],
    [
      'a revocation that does nothing',
      {
        changeRequest(incoming) {
          if (incoming.url !== '/revoke') return;
          incoming.url = '/health';
          incoming.method = 'GET';
        },
      },
      /A revoked token is answered 200/,
    ],
  ];

  test.each(faults)('%s', async (_what, fault, words) => {
    const proxy = await startFaultyProxy(healthy.url, fault);
    const outcome = await signIn(proxy.url).catch((error: unknown) => error);
    await proxy.close();

    expect(outcome).toBeInstanceOf(CheckFailure);
    expect((outcome as CheckFailure).message).toMatch(words);
    expect((outcome as CheckFailure).advice).not.toBe('');
  });
});

/** Has a document name the server as a proxy does that writes the name of its upstream over Host. */
function editNames(path: string): NonNullable<Fault['answer']> {
  return (exchange) =>
    editJson(exchange, path, (body) => ({
      ...body,
      resource: 'https://app:8000/mcp',
      issuer: 'https://app:8000',
    }));
}

/** Writes the server's own address over Host, as nginx does unless it is told otherwise. */
const writeOverHost = ({ headers }: { readonly headers: { host?: string | undefined } }): void => {
  headers.host = new URL(healthy.url).host;
};

test.each<[string, Fault]>([
  ['The server sends clients to', { changeRequest: writeOverHost }],
  [
    'names the resource',
    {
      changeRequest: writeOverHost,
      answer({ incoming, upstream, forward }) {
        const challenge = upstream.headers['www-authenticate'];
        if (challenge !== undefined)
          upstream.headers['www-authenticate'] = challenge.replace(
            /(resource_metadata=")[^"]+\/\.well/,
            `$1http://0.0.0.0:${incoming.socket.localPort}/.well`,
          );
        forward();
      },
    },
  ],
])('reports a proxy that does not pass on Host: %s a loopback address', async (words, fault) => {
  const proxy = await startFaultyProxy(healthy.url, fault);
  // An address of this machine that is no loopback one.
  const outcome = await signIn(proxy.url.replace('127.0.0.1', '0.0.0.0')).catch((error: unknown) => error);
  await proxy.close();

  expect(outcome).toBeInstanceOf(CheckFailure);
  expect((outcome as CheckFailure).message).toContain(`${words} ${healthy.url}`);
  expect((outcome as CheckFailure).advice).toContain('nginx: proxy_set_header Host $http_host');
});

test.each<[string, Fault]>([
  ['names the resource', { answer: editNames('/.well-known/oauth-protected-resource/mcp') }],
  ['names the issuer', { answer: editNames(DOCUMENT) }],
])('reports a proxy, too, when PUBLIC_URL may be right: %s another address', async (words, fault) => {
  const proxy = await startFaultyProxy(healthy.url, fault);
  const outcome = await signIn(proxy.url).catch((error: unknown) => error);
  await proxy.close();

  expect((outcome as CheckFailure).message).toContain(`${words} https://app:8000`);
  expect((outcome as CheckFailure).advice).toMatch(/^Set PUBLIC_URL .* If it is set so, a proxy replaces/);
});

test('reports a proxy that does not forward the metadata of a server with a base path', async () => {
  const port = String(await findFreePort());
  const proxy = await startFaultyProxy(`http://127.0.0.1:${port}`, {
    answer: (exchange) =>
      exchange.incoming.url === `${DOCUMENT}/app`
        ? answerInPlace(exchange, 404, { 'Content-Type': 'text/html' }, '<title>Not found</title>')
        : exchange.forward(),
  });
  const env = { PORT: port, PUBLIC_URL: `${proxy.url}/app`, SERVER_SECRET: newSecret() };
  const server = await startTestServer({ env });

  const outcome = await signIn(`${proxy.url}/app`).catch((error: unknown) => error);
  await Promise.all([proxy.close(), server.close()]);

  expect(outcome).toBeInstanceOf(CheckFailure);
  expect((outcome as CheckFailure).message).toContain(`${DOCUMENT}/app is answered 404 by another server.`);
  expect((outcome as CheckFailure).advice).toContain('/.well-known/oauth-…/app to this server too');
});

test('reports instances that do not share the end of a sign-in', async () => {
  const env = { SERVER_SECRET: newSecret(), AUTH_FAILURES_PER_MINUTE: '100000' };
  const servers = await Promise.all([1, 2].map(async () => startTestServer({ env })));
  const balancer = await startRoundRobin(servers.map(({ url }) => url));

  const outcome = await signIn(balancer.url).catch((error: unknown) => error);
  balancer.close();
  await Promise.all(servers.map(async (server) => server.close()));

  expect(outcome).toBeInstanceOf(CheckFailure);
  expect((outcome as CheckFailure).message).toBe('A revoked token is answered 200.');
  expect((outcome as CheckFailure).advice).toContain('set the same REDIS_URL at each');
});

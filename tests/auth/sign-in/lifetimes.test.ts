/** How long the parts of a sign-in are valid, with a clock that the test sets: the form, the code, the tokens, and the sign-in as a whole. */
import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { digestToken } from '../../../src/auth/digest.ts';
import { readParameters } from '../../../src/auth/sign-in/parameters.ts';
import { createSignIn } from '../../../src/auth/sign-in/sign-in.ts';
import type { TokenAnswer } from '../../../src/auth/sign-in/exchange.ts';
import { createTokenSet } from '../../../src/auth/tokens/token-set.ts';
import { createUserContext } from '../../../src/auth/user.ts';

const SECRETS = [randomBytes(32).toString('base64url')];
const TOKEN = 'tok_ada_0123456789';
const ISSUER = 'https://my-app.example';
const CALLBACK = 'my-app://callback';
const VERIFIER = 'v'.repeat(43);
const NOW_MS = Date.parse('2026-06-01T12:00:00Z');
const ACCESS_MS = 7 * 86_400_000;
const REFRESH_MS = 90 * 86_400_000;

/** What may differ between two servers. */
interface Differences {
  readonly refreshMs?: number;
  readonly expiresAtMs?: number;
  readonly redirectUris?: readonly string[];
}

/** A server that users sign in to, with its clock, and a client of it. */
function start({ refreshMs = REFRESH_MS, expiresAtMs, redirectUris = [CALLBACK] }: Differences = {}) {
  const clock = { nowMs: NOW_MS };
  const now = () => clock.nowMs;
  const user = createUserContext({ userId: 'ada' });
  const tokens = createTokenSet([{ digest: digestToken(TOKEN), user, disabled: false, expiresAtMs }], now);
  const signIn = createSignIn({
    tokens,
    lookUp: (digest) => tokens.lookUp(digest),
    secrets: SECRETS,
    addresses: { publicUrl: ISSUER, hosts: [], trustProxy: false },
    scopes: [],
    clientHosts: [],
    redirectUris,
    accessMs: ACCESS_MS,
    refreshMs,
    canStepUp: true,
    onDocumentFailure: () => undefined,
    now,
  });
  const ask = async (clientId: string): Promise<string> => {
    const parameters = {
      response_type: 'code',
      client_id: clientId,
      code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
      code_challenge_method: 'S256',
    };
    const asked = await signIn.ask(readParameters(new URLSearchParams(parameters)), ISSUER);
    if (asked.kind !== 'question') throw new Error(asked.location);
    return asked.sealedTicket;
  };
  const register = (): string => {
    const metadata = { redirect_uris: redirectUris, token_endpoint_auth_method: 'none' };
    return (signIn.register(metadata) as { client_id: string }).client_id;
  };
  const allow = (sealedTicket: string): string => {
    const ticket = signIn.openTicket(sealedTicket, ISSUER);
    return new URL(signIn.allow(ticket, digestToken(TOKEN))).searchParams.get('code') ?? '';
  };
  const grant = (clientId: string, fields: Record<string, string>): TokenAnswer =>
    signIn.grant(readParameters(new URLSearchParams(fields)), {
      client: signIn.identify(clientId),
      issuer: ISSUER,
    });
  return {
    clock,
    register,
    ask,
    allow,
    exchange: (clientId: string, code: string) =>
      grant(clientId, { grant_type: 'authorization_code', code, code_verifier: VERIFIER }),
    refresh: (clientId: string, token: string | undefined) =>
      grant(clientId, { grant_type: 'refresh_token', refresh_token: token ?? '' }),
    /** Whether a token is accepted, or the reason why not. */
    verdict: async (token: string) => {
      const verification = await signIn.verifier.verify(token, { host: new URL(ISSUER).host });
      return verification.ok ? 'ok' : verification.reason;
    },
  };
}

/** Signs in on a server. */
async function signInAt(server: ReturnType<typeof start>) {
  const clientId = server.register();
  return { clientId, ...server.exchange(clientId, server.allow(await server.ask(clientId))) };
}

describe('the form', () => {
  test('is valid for ten minutes', async () => {
    const server = start();
    const ticket = await server.ask(server.register());

    server.clock.nowMs += 10 * 60_000 - 1;
    expect(server.allow(ticket)).toMatch(/^mcp_ac_/);
    server.clock.nowMs += 1;
    expect(() => server.allow(ticket)).toThrow('This page is no longer valid');
  });

  test('cannot redirect to a URI that is no longer allowed, though the client was registered before', async () => {
    const server = start();
    const clientId = server.register();
    const ticket = await server.ask(clientId);
    const changed = start({ redirectUris: ['other-app://callback'] });

    expect(() => changed.allow(ticket)).toThrow('The redirect_uri is not allowed here.');
    await expect(changed.ask(clientId)).rejects.toThrow('The redirect_uri is not allowed here.');
  });
});

test('a code is valid for a minute', async () => {
  const server = start();
  const clientId = server.register();
  const [one, other] = [server.allow(await server.ask(clientId)), server.allow(await server.ask(clientId))];

  server.clock.nowMs += 59_999;
  expect(server.exchange(clientId, one).token_type).toBe('Bearer');
  server.clock.nowMs += 1;
  expect(() => server.exchange(clientId, other)).toThrow('The code has expired');
});

/** A code from a process whose clock differs by so much, for a form from this process. */
const codeOf = async (differenceMs: number) => {
  const [here, there] = [start(), start()];
  there.clock.nowMs += differenceMs;
  const clientId = there.register();
  return { here, clientId, code: there.allow(await here.ask(clientId)) };
};

describe('a code from a process whose clock differs', () => {
  test.each([-600_000, -120_000, 0, 120_000, 600_000])('by %i ms is accepted, once', async (differenceMs) => {
    const { here, clientId, code } = await codeOf(differenceMs);

    expect(here.exchange(clientId, code).token_type).toBe('Bearer');
    expect(() => here.exchange(clientId, code)).toThrow('used before');
  });

  test.each([-660_000, 600_001])('by %i ms has expired', async (differenceMs) => {
    const { here, clientId, code } = await codeOf(differenceMs);

    expect(() => here.exchange(clientId, code)).toThrow('The code has expired');
  });

  test('is remembered as used for as long as it could be valid', async () => {
    const { here, clientId, code } = await codeOf(600_000);
    here.exchange(clientId, code);

    here.clock.nowMs += 600_000 + 60_000 + 600_000 - 1;
    const other = here.register();
    here.exchange(other, here.allow(await here.ask(other)));

    expect(() => here.exchange(clientId, code)).toThrow('used before');
    here.clock.nowMs += 1;
    expect(() => here.exchange(clientId, code)).toThrow('The code has expired');
  });
});

describe('tokens', () => {
  test('are valid for their lifetime, and the sign-in for its own, however often it is refreshed', async () => {
    const server = start();
    const { clientId, access_token: first, expires_in: seconds, refresh_token } = await signInAt(server);

    server.clock.nowMs += ACCESS_MS - 1;
    const before = await server.verdict(first);
    server.clock.nowMs += 1;
    const after = await server.verdict(first);
    let last = server.refresh(clientId, refresh_token);
    for (let week = 2; week * ACCESS_MS < REFRESH_MS; week += 1) {
      server.clock.nowMs += ACCESS_MS;
      last = server.refresh(clientId, last.refresh_token);
    }
    server.clock.nowMs = NOW_MS + REFRESH_MS;

    expect([seconds, before, after]).toEqual([ACCESS_MS / 1000, 'ok', 'expired']);
    expect(() => server.refresh(clientId, last.refresh_token)).toThrow('This sign-in has ended');
  });

  test('do not outlive the token that was pasted', async () => {
    const server = start({ expiresAtMs: NOW_MS + 100_000 });
    const { clientId, access_token: token, expires_in: seconds, refresh_token } = await signInAt(server);

    server.clock.nowMs += 100_000;

    expect(seconds).toBe(100);
    expect(await server.verdict(token)).toBe('expired');
    expect(() => server.refresh(clientId, refresh_token)).toThrow('no longer valid');
  });

  test('are issued without a refresh token when refreshMs is 0', async () => {
    expect(await signInAt(start({ refreshMs: 0 }))).not.toHaveProperty('refresh_token');
  });
});

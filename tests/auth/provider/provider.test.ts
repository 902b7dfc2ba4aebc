/** Tokens of an identity provider, rule by rule: issuer, audience, expiry, algorithm and user, and what the provider is asked for that. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as immediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { base64url, SignJWT, UnsecuredJWT } from 'jose';
import { type Ask, createAsk } from '../../../src/auth/provider/ask.ts';
import { createProvider, type Provider, type ProviderParts } from '../../../src/auth/provider/provider.ts';
import { createTokenSet } from '../../../src/auth/tokens/token-set.ts';
import { createUserContext } from '../../../src/auth/user.ts';
import type { Grant, TokenVerifier, Verification } from '../../../src/auth/verifier.ts';
import { digestToken } from '../../../src/auth/digest.ts';
import { readCaller, spellCaller } from '../../../src/http/transports/peer-callers.ts';
import { testEach } from '../../support/in-ci.ts';
import {
  createMadeUpProvider,
  makeKey,
  type MadeUpProvider,
  type Signing,
} from '../../support/made-up-provider.ts';

const ISSUER = 'https://id.example/realms/school';
const OWN = 'https://my-app.example';
const START_MS = Date.parse('2026-06-01T12:00:00Z');
const HEADERS = { host: 'my-app.example' };
const FILE_TOKEN = 'tok_ada_0123456789';

let at: MadeUpProvider;
let nowMs: number;
const failures: string[] = [];
beforeEach(async () => {
  at = await createMadeUpProvider(ISSUER);
  nowMs = START_MS;
  failures.length = 0;
});

/** A resource server for the provider. */
function open(more: Partial<ProviderParts> = {}): Provider {
  return createProvider({
    issuer: ISSUER,
    userClaim: 'sub',
    scopeClaims: ['scope', 'scp'],
    canStepUp: true,
    tokens: undefined,
    audience: [],
    addresses: {
      publicUrl: OWN,
      hosts: ['my-app.example', 'alias.example', 'ports.example:443'],
      trustProxy: true,
    },
    onFailure: (what) => failures.push(what),
    now: () => nowMs,
    ask: at.ask,
    ...more,
  });
}

/** The claims of a valid token with these replaced; undefined removes one. */
function claims(more: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  const nowSeconds = nowMs / 1000;
  const all = {
    iss: ISSUER,
    sub: 'ada',
    aud: `${OWN}/mcp`,
    exp: nowSeconds + 300,
    iat: nowSeconds,
    scope: 'greet openid',
    ...more,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** Verifies a token with these claims. */
async function verify(
  more: Readonly<Record<string, unknown>> = {},
  {
    signing,
    server = open(),
    headers = HEADERS,
  }: { signing?: Signing; server?: Provider; headers?: IncomingHttpHeaders } = {},
): Promise<Verification> {
  return server.verifier.verify(await at.sign(claims(more), signing), headers);
}

/** The grant of a token that is accepted. */
function grantOf(verification: Verification): Grant {
  if (!verification.ok) throw new Error(`Refused: ${verification.reason} ${verification.description ?? ''}`);
  return verification.grant;
}

/** The reason and the description with which a token is refused. */
function wordsOf(verification: Verification): string {
  if (verification.ok) throw new Error('It was accepted.');
  return `${verification.reason}: ${verification.description ?? ''}`;
}

describe('a JWT', () => {
  test("yields the user of the provider's claim, with the scopes of the token", async () => {
    const { user, tokenId } = grantOf(await verify({ name: 'Ada Lovelace' }));

    expect(user).toEqual({
      userId: `${ISSUER}#ada`,
      subject: 'ada',
      name: 'Ada Lovelace',
      scopes: ['greet', 'openid'],
      obtainable: 'any',
      metadata: { issuer: ISSUER },
    });
    expect(tokenId).toMatch(/^[0-9a-f]{8}$/);
  });

  test.each<[string, Record<string, unknown>, Signing, RegExp]>([
    ['of another issuer', { iss: 'https://id.example/realms/schoo' }, {}, /^unfit: .*OAUTH_ISSUER names/],
    ['of the issuer with a slash', { iss: `${ISSUER}/` }, {}, /^unfit: .*OAUTH_ISSUER names/],
    ['without an issuer', { iss: undefined }, {}, /^unfit: .*OAUTH_ISSUER names/],
    ['without an audience', { aud: undefined }, {}, /^unfit: .*Keycloak.*Audience mapper/],
    ['with an empty audience', { aud: [] }, {}, /^unfit: .*Audience mapper/],
    ['for another server', { aud: 'https://other.example/mcp' }, {}, /^unfit: .*is not this server/],
    ['for a path with the same beginning', { aud: `${OWN}/mcp-other` }, {}, /^unfit: .*is not this server/],
    [
      'for a host with the same beginning',
      { aud: `${OWN}.evil.example/mcp` },
      {},
      /^unfit: .*is not this server/,
    ],
    ['for a path in capitals', { aud: `${OWN}/MCP` }, {}, /^unfit: .*is not this server/],
    ['for Keycloak itself', { aud: 'account' }, {}, /^unfit: .*is not this server/],
    ['without an expiry', { exp: undefined }, {}, /^unfit: .*no expiry/],
    ['with an expiry that is no number', { exp: '2999' }, {}, /^unfit: .*no expiry/],
    ['that has expired', { exp: START_MS / 1000 - 31 }, {}, /^expired: /],
    ['that is not valid yet', { nbf: START_MS / 1000 + 31 }, {}, /^not_yet_valid: /],
    ['with a notBefore that is no number', { nbf: 'soon' }, {}, /^not_yet_valid: /],
    ['without a user', { sub: undefined }, {}, /^unfit: .*OAUTH_USER_CLAIM/],
    ['whose user is empty', { sub: ' ' }, {}, /^unfit: .*OAUTH_USER_CLAIM/],
    ['whose user is a list', { sub: ['ada'] }, {}, /^unfit: .*OAUTH_USER_CLAIM/],
    ['whose user has a line break', { sub: 'ada\nbob' }, {}, /^unfit: .*OAUTH_USER_CLAIM/],
    ['whose user has a line separator', { sub: 'ada\u2028bob' }, {}, /^unfit: .*OAUTH_USER_CLAIM/],
    ['whose user has a paragraph separator', { sub: 'ada\u2029' }, {}, /^unfit: .*OAUTH_USER_CLAIM/],
    ['whose user is too long', { sub: 'a'.repeat(201) }, {}, /^unfit: .*OAUTH_USER_CLAIM/],
    ['that is an ID token, by its nonce', { nonce: 'n' }, {}, /^unfit: .*not an access token/],
    ['that is an ID token, by its hash', { at_hash: 'h' }, {}, /^unfit: .*not an access token/],
    ["that is Keycloak's ID token", { typ: 'ID' }, {}, /^unfit: .*not an access token/],
    ["that is Keycloak's refresh token", { typ: 'Refresh' }, {}, /^unfit: .*not an access token/],
    ['that is a logout token', {}, { header: { typ: 'logout+jwt' } }, /^unfit: .*not an access token/],
    ['that is bound to a key', { cnf: { jkt: 'x' } }, {}, /^unfit: .*bound to a key/],
  ])('%s is refused', async (_, more, signing, words) => {
    expect(wordsOf(await verify(more, { signing }))).toMatch(words);
  });

  test.each<[string, Record<string, unknown>, Signing]>([
    ['for only the origin', { aud: OWN }, {}],
    ['for the origin with a slash', { aud: `${OWN}/` }, {}],
    ['whose audience has its scheme and host in capitals', { aud: 'HTTPS://My-App.EXAMPLE/mcp' }, {}],
    ['for one of several', { aud: ['account', `${OWN}/sse`] }, {}],
    ['that expired within the clock tolerance', { exp: START_MS / 1000 - 29 }, {}],
    ['that becomes valid within the clock tolerance', { nbf: START_MS / 1000 + 29 }, {}],
    ['whose type is that of any JWT', {}, { header: { typ: 'JWT' } }],
    ['whose type is spelled out', {}, { header: { typ: 'application/at+jwt' } }],
    [
      "that is Keycloak's",
      { typ: 'Bearer', azp: 'claude', realm_access: { roles: ['a'] } },
      { header: { typ: 'JWT' } },
    ],
    ['whose user is a number', { sub: 17 }, {}],
  ])('%s is accepted', async (_, more, signing) => {
    expect(await verify(more, { signing })).toMatchObject({ ok: true });
  });

  test('without a type is accepted', async () => {
    const [key] = at.published;
    const token = await new SignJWT({ ...claims() })
      .setProtectedHeader({ alg: 'ES256', kid: 'first' })
      .sign(key?.pair.privateKey ?? new Uint8Array());

    expect(await open().verifier.verify(token, HEADERS)).toMatchObject({ ok: true });
  });

  test.each(['{ "', '{  "', '{\t"', '{\n  "', '{\r\n"'])(
    'whose header begins with %j is accepted',
    async (start) => {
      const { alg, pair } = await makeKey('first', 'EdDSA');
      at.published = [{ kid: 'first', alg, pair }];
      const header = JSON.stringify({ alg, kid: 'first', typ: 'at+jwt' }).replace('{"', start);
      const signed = `${base64url.encode(header)}.${base64url.encode(JSON.stringify(claims()))}`;
      const signature = await crypto.subtle.sign('Ed25519', pair.privateKey, Buffer.from(signed));
      const token = `${signed}.${base64url.encode(new Uint8Array(signature))}`;
      const server = open({ tokens: createTokenSet([]) });

      expect(await server.verifier.verify(token, HEADERS)).toMatchObject({ ok: true });
      // It has been read before: it is found at once, and the token file is not asked.
      expect(server.verifier.verify(token, HEADERS)).not.toBeInstanceOf(Promise);
    },
  );

  testEach(['RS256', 'RS512', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA'])(
    'signed with %s is accepted',
    async (alg) => {
      at.published = [await makeKey('k', alg)];

      expect(await verify()).toMatchObject({ ok: true });
    },
  );

  test('without a signature, or with an HMAC, is refused', async () => {
    const server = open();
    const none = new UnsecuredJWT({ ...claims() }).encode();
    const hmac = await new SignJWT({ ...claims() })
      .setProtectedHeader({ alg: 'HS256', kid: 'first', typ: 'at+jwt' })
      .sign(randomBytes(32));

    expect(wordsOf(await server.verifier.verify(none, HEADERS))).toMatch(/^unfit: .*algorithm/);
    expect(wordsOf(await server.verifier.verify(hmac, HEADERS))).toMatch(/^unfit: .*algorithm/);
  });

  test('with a critical header is refused', async () => {
    const header = { alg: 'ES256', kid: 'first', crit: ['b64'], b64: true };
    const token = `${base64url.encode(JSON.stringify(header))}.e30.AAAA`;

    expect(wordsOf(await open().verifier.verify(token, HEADERS))).toMatch(/^unknown: .*neither a token of/);
  });

  test('with any character changed is refused', async () => {
    const server = open();
    const token = await at.sign(claims());
    await server.verifier.verify(token, HEADERS);

    for (let index = 0; index < token.length - 1; index += 3) {
      const other = token[index] === 'A' ? 'B' : 'A';
      const changed = token.slice(0, index) + other + token.slice(index + 1);
      expect(await server.verifier.verify(changed, HEADERS)).toMatchObject({ ok: false });
    }
  });

  test('of another key with a known kid is refused', async () => {
    const forged = await makeKey('first');

    expect(wordsOf(await verify({}, { signing: { key: forged } }))).toMatch(
      /^unfit: .*None of the provider's keys/,
    );
  });

  test('without a kid is tried with each key that fits', async () => {
    const [one, two] = [await makeKey('one'), await makeKey('two')];
    at.published = [one, two];
    const server = open();
    const unnamed = { header: { kid: undefined } } as unknown as Signing;

    const found = await verify({}, { server, signing: { ...unnamed, key: two } });
    const forged = await verify({ jti: '2' }, { server, signing: { ...unnamed, key: await makeKey('x') } });

    expect(found).toMatchObject({ ok: true });
    expect(wordsOf(forged)).toMatch(/None of the provider's keys/);
  });

  test('must be for the address of the request, unless OAUTH_AUDIENCE is set', async () => {
    const alias = { host: 'alias.example' };
    const server = open();
    const listed = open({ audience: ['api://mcp'] });
    const token = await at.sign(claims());

    expect(await server.verifier.verify(token, HEADERS)).toMatchObject({ ok: true });
    expect(wordsOf(await server.verifier.verify(token, alias))).toMatch(/is not this server/);
    for (const name of ['alias.example', 'ports.example'])
      for (const host of [name, `${name}:443`])
        expect(await verify({ aud: `https://${name}/mcp` }, { headers: { host } })).toMatchObject({
          ok: true,
        });
    expect(wordsOf(await listed.verifier.verify(token, HEADERS))).toMatch(/is not this server/);
    expect(await verify({ aud: 'api://mcp' }, { server: listed, headers: alias })).toMatchObject({
      ok: true,
    });
  });

  test('is compared with an address of OAUTH_AUDIENCE without regard to the case of its host, with a name exactly', async () => {
    const server = open({ audience: ['https://Other.Example/Mcp', 'api://App'] });
    const accepts = async (aud: string) => (await verify({ aud }, { server })).ok;

    const found = await Promise.all(
      ['https://other.example/Mcp', 'https://other.example/mcp', 'api://App', 'api://app'].map(accepts),
    );

    expect(found).toEqual([true, false, true, false]);
  });

  test.each(['localhost:8000', '127.0.0.1:8000', '[::1]:8000', 'LOCALHOST:8000', 'localhost'])(
    'for %s is refused at a public address, whatever Host is sent; one for the public address is accepted',
    async (host) => {
      const local = `http://${host.toLowerCase()}`;
      const server = open();
      const own = open({ addresses: { publicUrl: undefined, hosts: [], trustProxy: false } });

      const forged = await verify({ aud: [local, `${local}/mcp`] }, { server, headers: { host } });
      const right = await verify({}, { server, headers: { host } });
      const atHome = await verify({ aud: `${local}/mcp` }, { server: own, headers: { host } });

      expect(wordsOf(forged)).toMatch(/^unfit: .*is not this server/);
      expect([right, atHome]).toMatchObject([{ ok: true }, { ok: true }]);
      expect([server.addressOf({ host }), own.addressOf({ host })]).toEqual([OWN, local]);
    },
  );

  test('has its user and scopes in the claims that the variables name, in a list or in a string', async () => {
    const keycloak = open({ userClaim: 'preferred_username', scopeClaims: ['realm_access.roles'] });
    const auth0 = open({ userClaim: 'https://my-app.example/id', scopeClaims: ['permissions'] });
    const roles = { preferred_username: 'ada.l', realm_access: { roles: ['greet', 'echo'] } };

    const first = grantOf(await verify(roles, { server: keycloak })).user;
    const second = grantOf(
      await verify({ 'https://my-app.example/id': 'x1', permissions: ['greet'] }, { server: auth0 }),
    ).user;
    const third = grantOf(await verify({ scope: undefined, scp: 'a b' })).user;
    const none = grantOf(await verify({ scope: undefined })).user;

    expect([first.subject, first.scopes]).toEqual(['ada.l', ['greet', 'echo']]);
    expect([second.subject, second.scopes]).toEqual(['x1', ['greet']]);
    expect([third.scopes, none.scopes]).toEqual([['a', 'b'], []]);
  });

  test('ends its own streams at its expiry, but no session of its user, at any process', async () => {
    const server = open();
    const elsewhere = open();
    const grant = grantOf(await verify({}, { server }));
    const mayGoOn = (): boolean[] =>
      [server, elsewhere].map(({ verifier }) => verifier.hasValidToken(grant.user.userId));
    const inUse = [server.verifier.isCurrent(grant), ...mayGoOn()];

    nowMs += 330_000;
    const ended = [server.verifier.isCurrent(grant), ...mayGoOn()];

    expect({ inUse, ended }).toEqual({ inUse: [true, true, true], ended: [false, true, true] });
    expect(server.verifier.hasValidToken('ada')).toBe(false);
  });

  test('that is accepted within the clock tolerance is current for as long', async () => {
    const server = open();
    const token = await at.sign(claims());
    nowMs += 310_000;
    const grant = grantOf(await server.verifier.verify(token, HEADERS));

    const inUse = server.verifier.isCurrent(grant);
    nowMs += 20_000;

    expect([inUse, server.verifier.isCurrent(grant)]).toEqual([true, false]);
  });

  test('is current at another process for as long as here, without being verified there', async () => {
    const [here, there] = [open(), open()];
    const grant = grantOf(await verify({}, { server: here }));
    const caller = { user: grant.user, grant, transport: 'sse', requestId: 'r' } as const;

    const spelled = JSON.stringify(spellCaller(caller));
    const passed = readCaller(JSON.parse(spelled) as ReturnType<typeof spellCaller>).grant;
    const before = there.verifier.isCurrent(passed);
    nowMs += 300_000;

    expect([before, there.verifier.isCurrent(passed)]).toEqual([true, false]);
    expect(JSON.stringify(grant)).not.toContain('provider ');
  });
});

/** Asks a provider that publishes other things among its keys, or in their place. */
function publishing(keysOf: (keys: readonly unknown[]) => unknown): Ask {
  return async (url, options) => {
    const { status, body } = await at.ask(url, options);
    return { status, body: url.endsWith('/jwks') ? keysOf((body as { keys: unknown[] }).keys) : body };
  };
}

/** Whether a grant ends within so much time, in which its stream is looked at every minute and, in the last one, again and again. */
async function endsWithin(
  minutes: number,
  { server, grant, patienceMs = 50 }: { server: Provider; grant: Grant; patienceMs?: number },
): Promise<boolean> {
  for (let minute = 0; minute < minutes; minute += 1) {
    nowMs += 60_000;
    server.verifier.isCurrent(grant);
    // Signatures are verified in other threads: when these have made three, the one before them is verified.
    for (let count = 0; count < 3; count += 1) await at.sign({});
  }
  const untilMs = performance.now() + patienceMs;
  while (performance.now() < untilMs && server.verifier.isCurrent(grant)) await immediate();
  return !server.verifier.isCurrent(grant);
}

describe('the keys of the provider', () => {
  test('are requested with the first token, once for concurrent tokens, and not again', async () => {
    const server = open();
    const tokens = await Promise.all(['a', 'b', 'c'].map((jti) => at.sign(claims({ jti }))));
    expect(at.asked).toEqual([]);

    await Promise.all(tokens.map(async (token) => server.verifier.verify(token, HEADERS)));
    const again = server.verifier.verify(tokens[0] ?? '', HEADERS);

    expect(at.asked.filter((name) => name === 'jwks')).toHaveLength(1);
    expect(again).not.toBeInstanceOf(Promise);
  });

  test('that are new are found with their first token; unknown ones cause one request in 30 seconds', async () => {
    const server = open();
    await verify({}, { server });
    const rotated = await makeKey('second');
    at.published = [rotated, ...at.published];

    const found = await verify({ jti: '1' }, { server, signing: { key: rotated } });
    const unknown = { key: await makeKey('unknown') };
    const refused = await Promise.all([1, 2, 3].map((jti) => verify({ jti }, { server, signing: unknown })));
    const fetches = at.asked.filter((name) => name === 'jwks').length;
    nowMs += 30_000;
    await verify({ jti: '9' }, { server, signing: unknown });

    expect(found).toMatchObject({ ok: true });
    expect(refused.map(wordsOf).every((words) => words.startsWith('unfit: '))).toBe(true);
    expect(fetches).toBe(2);
    expect(at.asked.filter((name) => name === 'jwks')).toHaveLength(3);
  });

  test.each([
    ['without names', undefined],
    ['with the same name', 'first'],
  ])('%s that take each other’s place are found at the first token of the later one', async (_, kid) => {
    const named = { header: { kid } } as unknown as Signing;
    const [one, two] = [await makeKey('first'), await makeKey('first')];
    const publish = async (key: typeof one) =>
      (at.published = [kid === undefined ? ({ ...key, kid } as unknown as typeof one) : key]);
    await publish(one);
    const server = open();

    const before = await verify({}, { server, signing: { ...named, key: one } });
    await publish(two);
    const after = await verify({ jti: '2' }, { server, signing: { ...named, key: two } });
    const withdrawn = await verify({ jti: '3' }, { server, signing: { ...named, key: one } });

    expect([before, after]).toMatchObject([{ ok: true }, { ok: true }]);
    expect(wordsOf(withdrawn)).toMatch(/^unfit: /);
    expect(at.asked.filter((name) => name === 'jwks')).toHaveLength(2);
  });

  test('of which one is too short leave the others in use, also for a token that names none', async () => {
    const good = await makeKey('good', 'RS256');
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const short = { ...publicKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig' };
    at.published = [good];
    const ask: Ask = async (url, options) => {
      const { status, body } = await at.ask(url, options);
      if (!url.endsWith('/jwks')) return { status, body };
      return { status, body: { keys: [short, ...(body as { keys: object[] }).keys] } };
    };
    const unnamed = { header: { kid: undefined } } as unknown as Signing;

    expect(await verify({}, { server: open({ ask }), signing: { ...unnamed, key: good } })).toMatchObject({
      ok: true,
    });
  });

  test('stay valid while the provider is unreachable; a token with an unknown key is then unavailable, not refused', async () => {
    const server = open();
    const known = await at.sign(claims({ jti: 'known' }));
    await server.verifier.verify(known, HEADERS);
    at.isUp = false;
    nowMs += 60_000;

    const again = await server.verifier.verify(known, HEADERS);
    const sameKey = await verify({ jti: 'other' }, { server });
    const newKey = await verify({}, { server, signing: { key: await makeKey('new') } });

    expect([again.ok, sameKey.ok]).toEqual([true, true]);
    expect(newKey).toMatchObject({ ok: false, reason: 'unavailable', retryAfterSeconds: 1 });
    expect(failures).toEqual(['keys']);
  });

  test('that were never obtained make tokens unavailable, not refused, and are seldom requested', async () => {
    const server = open();
    at.isUp = false;

    const [first, second] = [await verify({}, { server }), await verify({ jti: '2' }, { server })];
    const asked = at.asked.length;
    at.isUp = true;
    nowMs += 30_000;
    const later = await verify({}, { server });

    expect([first, second]).toMatchObject([
      { ok: false, reason: 'unavailable' },
      { ok: false, reason: 'unavailable' },
    ]);
    // One request for each place where the metadata may be.
    expect(asked).toBe(3);
    expect(later).toMatchObject({ ok: true });
  });

  test('are requested again after a second, then after twice as long each time, up to 30 seconds', async () => {
    const server = open();
    at.isUp = false;
    const pauses: (number | undefined)[] = [];

    for (let count = 0; count < 7; count += 1) {
      const refused = await Promise.all([1, 2, 3].map((jti) => verify({ jti }, { server })));
      const [pause] = new Set(refused.map((each) => (each.ok ? undefined : each.retryAfterSeconds)));
      pauses.push(pause);
      nowMs += (pause ?? 0) * 1_000 - 1;
      await verify({}, { server });
      nowMs += 1;
    }
    const asked = at.asked.length;
    at.isUp = true;
    const later = await verify({}, { server });

    expect(pauses).toEqual([1, 2, 4, 8, 16, 30, 30]);
    // Three places each time, whoever else arrives meanwhile.
    expect(asked).toBe(3 * pauses.length);
    expect(later).toMatchObject({ ok: true });
  });

  test('that the provider has withdrawn are no longer accepted', async () => {
    const server = open();
    const token = await at.sign(claims());
    await server.verifier.verify(token, HEADERS);
    at.published = [await makeKey('second')];
    nowMs += 60_000;

    await verify({ jti: '2' }, { server });

    expect(wordsOf(await server.verifier.verify(token, HEADERS))).toMatch(/None of the provider's keys/);
  });

  test('that the provider has withdrawn end the streams of their tokens', async () => {
    const server = open();
    const token = await at.sign(claims({ exp: START_MS / 1000 + 86_400 }));
    const grant = grantOf(await server.verifier.verify(token, HEADERS));

    const whileTheyAreThere = await endsWithin(20, { server, grant });
    at.published = [await makeKey('second')];
    const afterwards = await endsWithin(11, { server, grant, patienceMs: 5_000 });

    expect([whileTheyAreThere, afterwards]).toEqual([false, true]);
    expect(wordsOf(await server.verifier.verify(token, HEADERS))).toMatch(/None of the provider's keys/);
  });

  test('that the provider has withdrawn are noticed by requests of one token alone', async () => {
    const server = open();
    const token = await at.sign(claims({ exp: START_MS / 1000 + 86_400 }));
    await server.verifier.verify(token, HEADERS);
    at.published = [await makeKey('second')];

    for (let minute = 0; minute < 11; minute += 1) {
      nowMs += 60_000;
      await server.verifier.verify(token, HEADERS);
      // The keys are fetched in the background.
      await at.sign({});
    }

    expect(await server.verifier.verify(token, HEADERS)).toMatchObject({ ok: false, reason: 'unfit' });
  });

  test('that cannot be fetched again end no stream', async () => {
    const server = open();
    const token = await at.sign(claims({ exp: START_MS / 1000 + 86_400 }));
    const grant = grantOf(await server.verifier.verify(token, HEADERS));
    at.isUp = false;

    expect(await endsWithin(20, { server, grant })).toBe(false);
    expect(await server.verifier.verify(token, HEADERS)).toMatchObject({ ok: true });
  });

  test.each([[null], ['key'], [[]], [17]])('count although %j is among them', async (other) => {
    const server = open({ ask: publishing((keys) => ({ keys: [other, ...keys] })) });

    expect(await verify({}, { server })).toMatchObject({ ok: true });
  });

  test('are none, and every token is refused, if the set is empty; what is no set of keys makes tokens unavailable', async () => {
    const empty = await verify({}, { server: open({ ask: publishing(() => ({ keys: [] })) }) });
    const others = await Promise.all(
      [{}, [], null, { keys: {} }, { keys: [null, 'key'] }].map((body) =>
        verify({}, { server: open({ ask: publishing(() => body) }) }),
      ),
    );

    expect(wordsOf(empty)).toMatch(/^unfit: None of the provider's keys/);
    expect(others.map((each) => (each.ok ? 'ok' : each.reason))).toEqual(others.map(() => 'unavailable'));
  });

  test('come from OAUTH_JWKS_URL if it is set, without a request for metadata', async () => {
    const server = open({ jwksUrl: `${ISSUER}/jwks` });

    expect(await verify({}, { server })).toMatchObject({ ok: true });
    expect(at.asked).toEqual(['jwks']);
  });

  test.each([
    ['no address of keys', {}],
    ['one that may not be used', { jwks_uri: 'http://id.example/jwks' }],
  ])('come from the next document if the first has %s', async (_, first) => {
    const ask: Ask = async (url, options) =>
      url.includes('/oauth-authorization-server')
        ? { status: 200, body: { issuer: ISSUER, introspection_endpoint: `${ISSUER}/introspect`, ...first } }
        : at.ask(url, options);

    expect(await verify({}, { server: open({ ask }) })).toMatchObject({ ok: true });
    expect(failures).toEqual([]);
  });

  test.each([
    ['names no keys', { issuer: ISSUER }, /it names no jwks_uri/],
    ['names unusable keys', { issuer: ISSUER, jwks_uri: '/jwks' }, /its jwks_uri is no https address/],
    ['is of another issuer', { issuer: 'https://id.example' }, /its issuer is not exactly OAUTH_ISSUER/],
  ])('are looked for again after a second when the document %s, and found', async (_, half, words) => {
    let isWhole = false;
    const reasons: string[] = [];
    const ask: Ask = async (url, options) => {
      const answer = await at.ask(url, options);
      return isWhole || !url.endsWith('/openid-configuration') ? answer : { status: 200, body: half };
    };
    const server = open({ ask, onFailure: (what, reason) => reasons.push(`${what}: ${reason}`) });

    const refused = await verify({}, { server });
    isWhole = true;
    nowMs += 1_000;
    const later = await verify({}, { server });

    expect(refused).toMatchObject({ ok: false, reason: 'unavailable', retryAfterSeconds: 1 });
    expect(reasons[0]).toMatch(/^document: /);
    expect(reasons[0]).toMatch(words);
    expect(later).toMatchObject({ ok: true });
  });

  test('are looked for in all documents at once, and one that is never answered does not stop the others', async () => {
    const asked: string[] = [];
    const held: (() => void)[] = [];
    const ask: Ask = async (url, options) => {
      if (!url.includes('/.well-known/')) return at.ask(url, options);
      asked.push(url.slice('https://id.example'.length));
      if (asked.length === 1)
        await new Promise((_, reject) => {
          held.push(() => reject(new Error('no whole answer within 5000 ms')));
        });
      return at.ask(url, options);
    };

    const found = verify({}, { server: open({ ask }) });
    while (asked.length === 0) await immediate();
    const atOnce = [...asked];
    held[0]?.();

    expect(await found).toMatchObject({ ok: true });
    expect(atOnce).toEqual([
      '/.well-known/oauth-authorization-server/realms/school',
      '/realms/school/.well-known/openid-configuration',
      '/.well-known/openid-configuration/realms/school',
    ]);
  });

  test('are not taken from the metadata of another issuer', async () => {
    const other = await createMadeUpProvider('https://id.example/realms/other');
    const server = open({ ask: other.ask });

    expect(await verify({}, { server })).toMatchObject({ ok: false, reason: 'unavailable' });
    expect(failures).toContain('document');
  });
});

/** Asks a server that answers in this way, while memory is collected again and again. */
async function askWhile(answer: (res: ServerResponse) => void, deadlineMs = 15_000): Promise<unknown> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const listening = createServer((_req, res) => answer(res)).listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const { port } = listening.address() as AddressInfo;
  const collecting = setInterval(collect, 250);
  try {
    return await createAsk({ deadlineMs })(`http://127.0.0.1:${port}/jwks`);
  } finally {
    clearInterval(collecting);
    listening.closeAllConnections();
    listening.close();
  }
}

describe('a request to the provider', () => {
  test.each<[string, (res: ServerResponse) => void, RegExp, number]>([
    ['that is never answered', () => undefined, /no whole answer within 1000 ms/, 1_000],
    [
      'whose answer never ends',
      (res) => res.writeHead(200).write('{'),
      /no whole answer within 1000 ms/,
      1_000,
    ],
    ['whose answer is too long', (res) => res.end(' '.repeat(1_000_000)), /larger than/, 15_000],
    ['that leads elsewhere', (res) => res.writeHead(302, { Location: '/' }).end(), /fetch failed/, 15_000],
  ])('%s fails', async (_, answer, words, deadlineMs) => {
    await expect(askWhile(answer, deadlineMs)).rejects.toThrow(words);
  });

  test('is answered with what is JSON, and with nothing else', async () => {
    expect(await askWhile((res) => res.end('{"keys":[]}'))).toEqual({ status: 200, body: { keys: [] } });
    expect(await askWhile((res) => res.end('<html>'))).toEqual({ status: 200, body: undefined });
    expect(await askWhile((res) => res.writeHead(204).end())).toEqual({ status: 204, body: undefined });
  });
});

/** The answer of introspection about a valid token. */
const active = () => ({ active: true, ...claims() });

describe('an opaque token', () => {
  const client = { id: 'mcp server', secret: 'sëcret:/+' };

  test('is introspected with the credentials of this server, and not again for 30 seconds', async () => {
    const server = open({ client });
    at.opaque.set('opaque_1', active());

    const grant = grantOf(await server.verifier.verify('opaque_1', HEADERS));
    const again = server.verifier.verify('opaque_1', HEADERS);
    nowMs += 30_000;
    await server.verifier.verify('opaque_1', HEADERS);

    expect(grant.user).toMatchObject({ userId: `${ISSUER}#ada`, scopes: ['greet', 'openid'] });
    expect(again).toMatchObject({ ok: true });
    expect(at.asked.filter((name) => name === 'introspect')).toHaveLength(2);
    expect(at.lastIntrospection?.form).toEqual({ token: 'opaque_1', token_type_hint: 'access_token' });
    const basic = Buffer.from(at.lastIntrospection?.headers?.['Authorization']?.slice(6) ?? '', 'base64');
    expect(basic.toString()).toBe('mcp+server:s%C3%ABcret%3A%2F%2B');
  });

  test.each<[string, object, RegExp]>([
    ['that is not active', { active: false }, /^revoked: .*not active/],
    ['of another issuer', { iss: 'https://other.example' }, /^unfit: .*OAUTH_ISSUER names/],
    ['without an audience', { aud: undefined }, /^unfit: .*Audience mapper/],
    ['for another server', { aud: 'https://other.example' }, /^unfit: .*is not this server/],
    ['that is a refresh token', { token_type: 'refresh_token' }, /^unfit: .*not an access token/],
    ['that has expired', { exp: 1 }, /^expired: /],
  ])('%s is refused', async (_, more, words) => {
    const server = open({ client });
    at.opaque.set('opaque_1', { ...active(), ...more });

    expect(wordsOf(await server.verifier.verify('opaque_1', HEADERS))).toMatch(words);
  });

  test('that is not active is not introspected again for 30 seconds', async () => {
    const server = open({ client });

    for (let count = 0; count < 5; count += 1) await server.verifier.verify('opaque_1', HEADERS);

    expect(at.asked.filter((name) => name === 'introspect')).toHaveLength(1);
  });

  test('that is revoked ends its streams within 35 seconds, without further requests', async () => {
    const server = open({ client });
    at.opaque.set('opaque_1', active());
    const grant = grantOf(await server.verifier.verify('opaque_1', HEADERS));
    at.opaque.delete('opaque_1');
    nowMs += 29_000;
    const before = server.verifier.isCurrent(grant);

    nowMs += 2_000;
    server.verifier.isCurrent(grant);
    await immediate();

    expect([before, server.verifier.isCurrent(grant)]).toEqual([true, false]);
    expect(wordsOf(await server.verifier.verify('opaque_1', HEADERS))).toMatch(/^revoked: /);
  });

  test('whose stream is open has the scopes of the latest answer, and ends with one that it cannot have', async () => {
    const server = open({ client });
    at.opaque.set('opaque_1', active());
    const grant = grantOf(await server.verifier.verify('opaque_1', HEADERS));
    const askAgain = async (more: object): Promise<boolean> => {
      at.opaque.set('opaque_1', { ...active(), ...more });
      nowMs += 31_000;
      server.verifier.isCurrent(grant);
      await immediate();
      return server.verifier.isCurrent(grant);
    };

    const goesOn = await askAgain({ scope: 'echo' });
    const { user } = grantOf(await server.verifier.verify('opaque_1', HEADERS));
    const ofAnother = await askAgain({ iss: 'https://other.example' });

    expect([goesOn, user.scopes, ofAnother]).toEqual([true, ['echo'], false]);
    expect(at.asked.filter((name) => name === 'introspect')).toHaveLength(3);
  });

  /** A server that accepted `opaque_1` half a minute ago, and a provider that does not answer about made-up tokens until `answer` is called. */
  const openSlow = async () => {
    const held: (() => void)[] = [];
    const slow: Ask = async (address, options) => {
      if (options?.form?.['token']?.startsWith('made_up') === true)
        await new Promise<void>((resolve) => {
          held.push(resolve);
        });
      return at.ask(address, options);
    };
    const server = open({ client, introspectionUrl: `${ISSUER}/introspect`, ask: slow });
    const ask = async (token: string, network: string) =>
      server.verifier.verify(token, HEADERS, () => network);
    at.opaque.set('opaque_1', active()).set('opaque_2', active());
    await ask('opaque_1', 'near');
    nowMs += 30_000;
    const answer = (): void => {
      for (const resolve of held) resolve();
    };
    return { ask, held, answer };
  };

  test("from a network that makes up many tokens keeps no other network's token from being introspected", async () => {
    const { ask, held, answer } = await openSlow();

    const flood = Array.from({ length: 200 }, async (_, index) => ask(`made_up_${index}`, 'far'));
    await immediate();
    const letIn = [await ask('opaque_1', 'far'), await ask('opaque_2', 'near')];
    const refused = await ask('opaque_3', 'far');
    const waiting = held.length;
    answer();
    await Promise.all(flood);
    const later = await ask('opaque_3', 'far');

    expect(letIn).toMatchObject([{ ok: true }, { ok: true }]);
    expect([refused, later]).toMatchObject([{ reason: 'unavailable' }, { reason: 'revoked' }]);
    expect(waiting).toBe(16);
  });

  test('from many networks is introspected up to a limit, beside which known tokens are checked again', async () => {
    const { ask, held, answer } = await openSlow();

    const flood = Array.from({ length: 200 }, async (_, index) => ask(`made_up_${index}`, `far ${index}`));
    await immediate();
    const again = await ask('opaque_1', 'near');
    const waiting = held.length;
    answer();
    await Promise.all(flood);

    expect(again).toMatchObject({ ok: true });
    expect(waiting).toBe(64);
  });

  test('is unavailable, not refused, while the provider is unreachable or refuses this server', async () => {
    const server = open({ client });
    at.isUp = false;
    const down = await server.verifier.verify('opaque_1', HEADERS);
    const turnedAway = open({
      client,
      introspectionUrl: `${ISSUER}/introspect`,
      ask: async () => ({ status: 401, body: { error: 'invalid_client' } }),
    });

    const refused = await turnedAway.verifier.verify('opaque_1', HEADERS);

    expect([down, refused]).toMatchObject([
      { ok: false, reason: 'unavailable' },
      { ok: false, reason: 'unavailable' },
    ]);
  });

  test.each<[string, unknown]>([
    ['says nothing of it', {}],
    ['is an error', { error: 'server_error' }],
    ['has words for it', { active: 'true' }],
    ['is a list', [{ active: false }]],
    ['is no JSON', undefined],
  ])('cannot be refused by an answer that %s, nor are its streams ended', async (_, body) => {
    let answer: unknown = active();
    const server = open({
      client,
      introspectionUrl: `${ISSUER}/introspect`,
      ask: async () => ({ status: 200, body: answer }),
    });
    const grant = grantOf(await server.verifier.verify('opaque_1', HEADERS));
    answer = body;
    nowMs += 31_000;

    server.verifier.isCurrent(grant);
    await immediate();
    const [again, other] = [
      await server.verifier.verify('opaque_1', HEADERS),
      await server.verifier.verify('opaque_2', HEADERS),
    ];

    expect([again, other]).toMatchObject([{ reason: 'unavailable' }, { reason: 'unavailable' }]);
    expect(server.verifier.isCurrent(grant)).toBe(true);
  });

  test('is unknown where no introspection is configured', async () => {
    expect(await open().verifier.verify('opaque_1', HEADERS)).toMatchObject({ ok: false, reason: 'unknown' });
    expect(at.asked).toEqual([]);
  });
});

/** A token file with one token. */
const file = () =>
  createTokenSet(
    [{ digest: digestToken(FILE_TOKEN), user: createUserContext({ userId: 'ada' }), disabled: false }],
    () => nowMs,
  );

describe('beside a token file', () => {
  test('tokens of the file stay valid, and a user of the provider with the same id is another user', async () => {
    const server = open({ tokens: file() });

    const ofFile = grantOf(await server.verifier.verify(FILE_TOKEN, HEADERS));
    const ofProvider = grantOf(await verify({}, { server }));

    expect(ofFile.user).toEqual({ userId: 'ada', name: 'ada', metadata: {} });
    expect(ofProvider.user.userId).not.toBe('ada');
    expect([ofFile, ofProvider].map((grant) => server.verifier.isCurrent(grant))).toEqual([true, true]);
    expect(server.verifier.hasValidToken('ada')).toBe(true);
  });

  test("a token is passed to the token file's verifier with the client's network, which limits lookups", async () => {
    const networks: (string | undefined)[] = [];
    const tokens: TokenVerifier = {
      ...createTokenSet([]),
      verify(_token, _headers, networkOf) {
        networks.push(networkOf?.());
        return { ok: false, reason: 'unknown' };
      },
    };

    await open({ tokens }).verifier.verify(FILE_TOKEN, HEADERS, () => '192.0.2.7');

    expect(networks).toEqual(['192.0.2.7']);
  });

  test('a token of neither is refused as unknown', async () => {
    const server = open({ tokens: file() });

    expect(await server.verifier.verify('tok_wrong_0123456789', HEADERS)).toEqual({
      ok: false,
      reason: 'unknown',
    });
  });
});

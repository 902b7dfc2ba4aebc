/** Whose tokens are accepted besides those of the file: what OAUTH_ISSUER needs, what goes with it, and what does not. */
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { parseConfig } from '../../src/config/config.ts';

const OAUTH_ISSUER = 'https://id.example/realms/school';
const PUBLIC_URL = 'https://my-app.example';
const SERVER_SECRET = randomBytes(32).toString('base64url');

test('is off without an issuer', () => {
  expect(parseConfig({ PUBLIC_URL }).provider).toBeUndefined();
});

test('needs only the issuer, and turns authentication on', () => {
  const { provider, auth } = parseConfig({ OAUTH_ISSUER });

  expect(provider).toEqual({
    issuer: OAUTH_ISSUER,
    audience: [],
    userClaim: 'sub',
    scopeClaims: ['scope', 'scp'],
    canStepUp: true,
  });
  expect(auth).toMatchObject({ enabled: true, because: 'OAUTH_ISSUER is set' });
});

test('reads every variable', () => {
  const { provider } = parseConfig({
    OAUTH_ISSUER: 'http://localhost:8080/realms/school',
    PUBLIC_URL,
    OAUTH_AUDIENCE: 'api://mcp, https://my-app.example/mcp',
    OAUTH_JWKS_URL: 'https://id.example/keys',
    OAUTH_INTROSPECTION_URL: 'http://127.0.0.1:8080/introspect',
    OAUTH_CLIENT_ID: 'mcp',
    OAUTH_CLIENT_SECRET: 's3cret',
    OAUTH_USER_CLAIM: 'https://my-app.example/id',
    OAUTH_SCOPE_CLAIM: 'realm_access.roles',
    OAUTH_STEP_UP: 'false',
  });

  expect(provider).toEqual({
    issuer: 'http://localhost:8080/realms/school',
    audience: ['api://mcp', 'https://my-app.example/mcp'],
    jwksUrl: 'https://id.example/keys',
    introspectionUrl: 'http://127.0.0.1:8080/introspect',
    client: { id: 'mcp', secret: 's3cret' },
    userClaim: 'https://my-app.example/id',
    scopeClaims: ['realm_access.roles'],
    canStepUp: false,
  });
});

test('with SERVER_SECRET the sign-in page stays off, and the secret is for sessions', () => {
  const config = parseConfig({ OAUTH_ISSUER, PUBLIC_URL, SERVER_SECRET });

  expect([config.signIn, config.noSignInBecause]).toEqual([undefined, undefined]);
  expect(config.sharing.secrets).toEqual([SERVER_SECRET]);
});

describe('the configuration is refused', () => {
  test.each<[string, Record<string, string>, RegExp]>([
    [
      'signing in here is wanted as well',
      { PUBLIC_URL, SERVER_SECRET, SIGN_IN: 'true' },
      /exclude each other/,
    ],
    ['the public address is not known', { NODE_ENV: 'production' }, /Set PUBLIC_URL/],
    ['tokens would travel unencrypted', { PUBLIC_URL: 'http://my-app.example' }, /Put HTTPS/],
    ['authentication is off', { AUTH_ENABLED: 'false' }, /AUTH_ENABLED=false switches off/],
    ['a client has no secret', { OAUTH_CLIENT_ID: 'mcp' }, /belong together/],
    ['nobody may ask', { OAUTH_INTROSPECTION_URL: 'https://id.example/i' }, /must say who it is/],
    ['the issuer is reached unencrypted', { OAUTH_ISSUER: 'http://id.example' }, /OAUTH_ISSUER must be/],
    ['the issuer is no address', { OAUTH_ISSUER: 'id.example' }, /OAUTH_ISSUER must be/],
    ['the issuer has a query', { OAUTH_ISSUER: 'https://id.example/?a=1' }, /OAUTH_ISSUER must be/],
    [
      'the keys are reached unencrypted',
      { OAUTH_JWKS_URL: 'http://id.example/keys' },
      /OAUTH_JWKS_URL must be/,
    ],
    ['a claim is no name', { OAUTH_USER_CLAIM: 'a..b' }, /OAUTH_USER_CLAIM must be/],
  ])('where %s', (_what, environment, words) => {
    expect(() => parseConfig({ OAUTH_ISSUER, ...environment })).toThrow(words);
  });
});

/** When users can sign in: as soon as there is what it needs, and never quietly without it when it was asked for. */
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { parseConfig } from '../../src/config/config.ts';
import { warnAboutUnusedSettings } from '../../src/server/start-messages.ts';
import { createMemoryLog } from '../support/memory-log.ts';

const SERVER_SECRET = randomBytes(32).toString('base64url');
const PUBLIC_URL = 'https://my-app.example';
const AUTH_ENABLED = 'true';

describe('signing in is on', () => {
  test.each([
    [
      'a secret on a public server whose address is known',
      { SERVER_SECRET, PUBLIC_URL, NODE_ENV: 'production' },
    ],
    ['a secret on a server for its own machine', { SERVER_SECRET, AUTH_ENABLED }],
    [
      'the toggle alone on a server for its own machine, with a secret for one run',
      { SIGN_IN: 'true', AUTH_ENABLED },
    ],
    [
      'a loopback address over plain HTTP',
      { SERVER_SECRET, AUTH_ENABLED, PUBLIC_URL: 'http://localhost:8000' },
    ],
  ])('with %s', (_what, environment) => {
    expect(parseConfig(environment).signIn).toMatchObject({
      canRegister: true,
      accessMs: 604_800_000,
      refreshMs: 7_776_000_000,
    });
  });
});

describe('signing in is off', () => {
  test.each([
    ['nothing says so', { AUTH_ENABLED }, /^undefined$/],
    ['the toggle says so', { SERVER_SECRET, AUTH_ENABLED, SIGN_IN: 'false' }, /^undefined$/],
    ['authentication is off', { SERVER_SECRET }, /authentication is off/],
    ['the public address is not known', { SERVER_SECRET, NODE_ENV: 'production' }, /Set PUBLIC_URL/],
    ['tokens would travel unencrypted', { SERVER_SECRET, PUBLIC_URL: 'http://my-app.example' }, /plain HTTP/],
  ])('where %s', (_what, environment, because) => {
    const config = parseConfig(environment);

    expect(config.signIn).toBeUndefined();
    expect(String(config.noSignInBecause)).toMatch(because);
  });

  test.each([
    ['authentication is off', {}, /SIGN_IN=true cannot be used: authentication is off/],
    ['the public address is not known', { SERVER_SECRET, HOST: '0.0.0.0' }, /Set PUBLIC_URL/],
    ['tokens would travel unencrypted', { SERVER_SECRET, PUBLIC_URL: 'http://my-app.example' }, /Put HTTPS/],
    ['there is no secret in production', { PUBLIC_URL, NODE_ENV: 'production' }, /npm run token -- secret/],
  ])(
    'and ends the start with a word on what is missing where it was asked for and %s',
    (_what, environment, words) => {
      expect(() => parseConfig({ ...environment, SIGN_IN: 'true' })).toThrow(words);
    },
  );
});

test.each([
  ['OAUTH_REFRESH_SECONDS', '0'],
  ['OAUTH_REFRESH_SECONDS', '60'],
  ['OAUTH_REDIRECT_URIS', 'https://client.example/cb?a=1,my-app://callback,com.example.app:/oauth'],
  ['OAUTH_CLIENT_HOSTS', 'client.example:8443,*'],
])('%s=%s is taken', (name, value) => {
  expect(() => parseConfig({ [name]: value })).not.toThrow();
});

test.each([
  ['OAUTH_REDIRECT_URIS', 'http://client.example/cb'],
  ['OAUTH_REDIRECT_URIS', 'https://client.example/cb#x'],
  ['OAUTH_REDIRECT_URIS', 'https://user@client.example/cb'],
  ['OAUTH_REDIRECT_URIS', 'javascript:alert(1)'],
  ['OAUTH_REDIRECT_URIS', '/cb'],
  // Nobody would ever be sent there.
  ['OAUTH_REDIRECT_URIS', 'ftp://client.example/cb'],
  ['OAUTH_REDIRECT_URIS', 'intent://client#Intent'],
  ['OAUTH_REDIRECT_URIS', 'wss://client.example/cb'],
  ['OAUTH_REDIRECT_URIS', 'https://client.example/cb?code=1'],
  ['OAUTH_REDIRECT_URIS', 'https://client.example\\cb'],
  ['OAUTH_CLIENT_HOSTS', 'https://client.example'],
  ['OAUTH_CLIENT_HOSTS', '*.client.example'],
  ['OAUTH_ACCESS_SECONDS', '59'],
  ['OAUTH_REFRESH_SECONDS', '31536001'],
  ['OAUTH_REFRESH_SECONDS', '59'],
  ['OAUTH_REFRESH_SECONDS', '-1'],
  ['SIGN_IN', 'maybe'],
])('%s=%s ends the start with its name', (name, value) => {
  expect(() => parseConfig({ [name]: value })).toThrow(new RegExp(`${name} must be`));
});

describe('variables without effect are reported with what to change', () => {
  const OAUTH_ACCESS_SECONDS = '3600';
  const OAUTH_CLIENT_ID = 'mcp';
  const OAUTH_ISSUER = 'https://id.example';

  test.each<[string, Record<string, string>, string[], RegExp]>([
    ['there is no issuer', { OAUTH_CLIENT_ID, OAUTH_AUDIENCE: 'a' }, ['OAUTH_AUDIENCE', 'OAUTH_CLIENT_ID'], /Set it to the identity provider/],
    ['there is no secret', { OAUTH_ACCESS_SECONDS, OAUTH_STEP_UP: 'false' }, ['OAUTH_ACCESS_SECONDS', 'OAUTH_STEP_UP'], /without SERVER_SECRET/],
    ['SIGN_IN=false says so', { OAUTH_ACCESS_SECONDS, SERVER_SECRET, SIGN_IN: 'false' }, ['OAUTH_ACCESS_SECONDS'], /Unset that/],
    ['signing in cannot be', { OAUTH_REGISTRATION: 'false', SERVER_SECRET, NODE_ENV: 'production' }, ['OAUTH_REGISTRATION'], /Set PUBLIC_URL/],
    ['users sign in elsewhere', { OAUTH_ISSUER, OAUTH_CLIENT_HOSTS: '*', OAUTH_STEP_UP: 'false' }, ['OAUTH_CLIENT_HOSTS'], /not here/],
    ['nothing outlives the process', { SESSION_MAX_AGE_SECONDS: '60' }, ['SESSION_MAX_AGE_SECONDS'], /SERVER_SECRET/],
    ['there is no Redis', { REDIS_PREFIX: 'a:' }, ['REDIS_PREFIX'], /REDIS_URL/],
    ['tokens are set beside a file of them', { AUTH_TOKENS: '{}', TOKENS_FILE: 'tokens.json' }, ['TOKENS_FILE'], /AUTH_TOKENS takes precedence/],
    ['there is no /metrics', { METRICS_USERS: 'true' }, ['METRICS_USERS'], /METRICS_TOKEN/],
  ])('where %s', (_what, environment, variables, reason) => {
    const { log, lines } = createMemoryLog();

    warnAboutUnusedSettings(parseConfig(environment), log);

    expect(lines).toMatchObject([
      { level: 'warn', msg: 'settings have no effect', variables, reason: expect.stringMatching(reason) },
    ]);
  }); // prettier-ignore

  test.each<[string, Record<string, string>]>([
    ['an empty one', { OAUTH_CLIENT_ID: ' ' }],
    ['those of a sign-in', { SERVER_SECRET, AUTH_ENABLED, OAUTH_ACCESS_SECONDS, OAUTH_STEP_UP: 'true' }],
    [
      'those of a provider',
      { OAUTH_ISSUER, OAUTH_USER_CLAIM: 'sub', OAUTH_STEP_UP: 'false', SIGN_IN: 'false' },
    ],
    ['SIGN_IN=false alone', { SIGN_IN: 'false' }],
  ])('and nothing is said of %s', (_what, environment) => {
    expect(parseConfig(environment).withoutEffect).toBeUndefined();
  });
});

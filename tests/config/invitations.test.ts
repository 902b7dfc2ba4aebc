/** Whatever says that others are meant to come, or that there are tokens, switches authentication on. */
import { describe, expect, test } from '@jest/globals';
import { parseConfig, parseStdioConfig } from '../../src/config/config.ts';
import { lookAround } from '../../src/config/surroundings.ts';
import type { Environment } from '../../src/config/environment.ts';

const LAPTOP = { hasTokenFile: false, isContainer: false };

/** What says that others come, with the words that say so. */
const INVITATIONS: readonly (readonly [environment: Environment, words: string])[] = [
  [{ NODE_ENV: ' production ' }, 'NODE_ENV is production'],
  [{ HOST: '0.0.0.0' }, 'HOST is not a loopback address'],
  [{ PUBLIC_URL: 'https://my-app.example' }, 'PUBLIC_URL is set'],
  [{ PUBLIC_URL: 'http://192.168.1.7:8000', HOST: '127.0.0.1' }, 'PUBLIC_URL is set'],
  [{ ALLOWED_HOSTS: 'localhost,my-app.example' }, 'ALLOWED_HOSTS is set'],
  [{ ALLOWED_ORIGINS: 'http://localhost:5173,https://pages.example' }, 'ALLOWED_ORIGINS is set'],
  [{ TRUST_PROXY: 'true' }, 'TRUST_PROXY is true'],
  ...[
    'REPL_ID',
    'REPLIT_DEPLOYMENT',
    'REPLIT_DOMAINS',
    'REPLIT_DEV_DOMAIN',
    'RENDER',
    'RAILWAY_ENVIRONMENT',
    'RAILWAY_PROJECT_ID',
    'FLY_APP_NAME',
    'DYNO',
    'K_SERVICE',
    'KUBERNETES_SERVICE_HOST',
  ].map((name) => [{ [name]: 'x' }, `${name} is set, as a hosting platform does`] as const),
];

describe.each(INVITATIONS)('%j', (environment, words) => {
  test('turns authentication on, with the reason', () => {
    expect(parseConfig(environment).auth).toMatchObject({
      enabled: true,
      because: words,
      isOpenToAll: false,
    });
  });

  test('needs two variables to turn authentication off', () => {
    const off = { ...environment, AUTH_ENABLED: 'false' };

    expect(() => parseConfig(off)).toThrow(`because ${words}.`);
    expect(() => parseConfig(off)).toThrow('ALLOW_PUBLIC_WITHOUT_AUTH=true');
    expect(parseConfig({ ...off, ALLOW_PUBLIC_WITHOUT_AUTH: 'true' }).auth).toMatchObject({
      enabled: false,
      isOpenToAll: true,
    });
    expect(parseConfig({ ...environment, ALLOW_PUBLIC_WITHOUT_AUTH: 'true' }).auth.enabled).toBe(true);
  });
});

test('the first process of a container has authentication on', () => {
  const container = { ...LAPTOP, isContainer: true };

  expect(parseConfig({}, {}, container).auth.enabled).toBe(true);
  expect(() => parseConfig({ AUTH_ENABLED: 'false' }, {}, container)).toThrow('ALLOW_PUBLIC_WITHOUT_AUTH');
});

test.each<[string, Environment, { hasTokenFile: boolean }]>([
  ['AUTH_TOKENS is set', { AUTH_TOKENS: '{"tok_a":{"userId":"a"}}' }, { hasTokenFile: false }],
  ['TOKENS_FILE is set', { TOKENS_FILE: 'my.json' }, { hasTokenFile: false }],
  ['there is a tokens.json', {}, { hasTokenFile: true }],
])('tokens switch authentication on, and one switch off again: %s', (because, environment, found) => {
  const around = { ...LAPTOP, ...found };

  expect(parseConfig(environment, {}, around).auth).toMatchObject({ enabled: true, because });
  expect(parseConfig({ ...environment, AUTH_ENABLED: 'false' }, {}, around).auth.enabled).toBe(false);
});

test.each<Environment>([
  {},
  { PUBLIC_URL: 'http://localhost:8000' },
  { PUBLIC_URL: 'http://[::1]:8000' },
  { ALLOWED_HOSTS: 'localhost:8000,127.0.0.1' },
  { ALLOWED_ORIGINS: 'http://localhost:5173,http://127.0.0.1' },
  { ALLOWED_ORIGINS: 'chrome-extension://abcdef' },
  { TRUST_PROXY: 'false' },
  { NODE_ENV: 'development' },
  { HOST: '127.0.0.2' },
])('%j says nothing of others: authentication is off', (environment) => {
  expect(parseConfig(environment).auth).toMatchObject({ enabled: false, isOpenToAll: false });
});

test('none of this applies to the stdio server, which has no network', () => {
  const environment = Object.assign({}, ...INVITATIONS.map(([set]) => set)) as Environment;

  expect(parseStdioConfig({ ...environment, AUTH_TOKENS: '{}' }).auth.enabled).toBe(false);
});

test('process id 1 counts as a container', () => {
  expect([1, 2].map((pid) => lookAround({ pid }).isContainer)).toEqual([true, false]);
});

/** Names that are nearly those of variables are refused: what is ignored could leave authentication off. */
import { describe, expect, test } from '@jest/globals';
import { findMisspellings } from '../../src/config/misspellings.ts';
import { parseConfig } from '../../src/config/config.ts';

const KNOWN = ['AUTH_ENABLED', 'AUTH_TOKENS', 'HOST', 'LOG_LEVEL', 'MAX_SESSIONS', 'TRUST_PROXY'];

describe('a name', () => {
  test.each([
    ['AUTH_ENABLE', 'AUTH_ENABLED'],
    ['AUTH_ENALBED', 'AUTH_ENABLED'],
    ['AUHT_ENABLE', 'AUTH_ENABLED'],
    ['auth_enabled', 'AUTH_ENABLED'],
    ['AUTH_TOKEN', 'AUTH_TOKENS'],
    ['LOG_LEVELS', 'LOG_LEVEL'],
    ['AUTHENABLED', 'AUTH_ENABLED'],
    ['AUTH-ENABLED', 'AUTH_ENABLED'],
    ['authTokens', 'AUTH_TOKENS'],
    ['AUTHENABLE', undefined],
    ['TRUST_PROXIES', undefined],
    ['LOG_LABELS', undefined],
    ['HOSTS', undefined],
    ['NPM_CONFIG_REGISTRY', undefined],
    ['AUTH_TOKENS', undefined],
  ])('%s is taken for %s', (name, meant) => {
    const problem = `${name} is no variable of this server; ${meant} is. Correct or unset it.`;

    expect(findMisspellings({ [name]: '1' }, KNOWN)).toEqual(meant === undefined ? [] : [problem]);
  });

  test('with an empty value counts as not set', () => {
    expect(findMisspellings({ AUTH_ENABLE: ' ', AUTH_TOKEN: undefined }, KNOWN)).toEqual([]);
  });
});

test('a misspelled name is reported together with bad values', () => {
  expect(() => parseConfig({ AUTH_ENABLE: 'true', PORT: 'x' })).toThrow(
    'The configuration cannot be used:\n' +
      '  AUTH_ENABLE is no variable of this server; AUTH_ENABLED is. Correct or unset it.\n' +
      '  PORT must be a whole number from 0 to 65535',
  );
});

test('variables of a hosting platform are not misspellings, and not suggested for one', () => {
  expect(() => parseConfig({ REPLIT_DOMAIN: 'x', REPLIT_DEV_DOMAINS: 'x' })).not.toThrow();
});

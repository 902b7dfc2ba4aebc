/** What signing in hands out: whatever is said comes back, and any change of any byte is refused. */
import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { createSealedValues, type AccessClaims } from '../../../src/auth/sign-in/sealed-values.ts';
import { createSealer } from '../../../src/sealed.ts';

const values = createSealedValues(createSealer([randomBytes(32).toString('base64url')]));
const CLAIMS: AccessClaims = {
  digest: 'a'.repeat(64),
  client: 'b'.repeat(22),
  family: 'c'.repeat(16),
  scopes: ['greet'],
  wantsOffline: false,
  issuer: 'https://my-app.example',
  issuedAtMs: 1_700_000_000_000,
  expiresAtMs: 1_700_000_600_000,
};

test('claims come back as they were, absent ones absent', () => {
  for (const claims of [CLAIMS, { ...CLAIMS, scopes: undefined }, { ...CLAIMS, scopes: [] }])
    expect(values.open('access', values.seal('access', claims))).toEqual(claims);
});

test('a value is nothing to another kind, nor with another beginning', () => {
  const token = values.seal('access', CLAIMS);
  const asRefresh = token.replace('mcp_at_', 'mcp_rt_');

  for (const kind of ['refresh', 'code', 'client', 'secret', 'ticket'] as const)
    for (const text of [token, asRefresh]) expect(values.open(kind, text)).toBeUndefined();
  expect(values.open('access', asRefresh)).toBeUndefined();
  expect(values.open('access', token.slice('mcp_at_'.length))).toBeUndefined();
});

test('any change of any character is refused', () => {
  const token = values.seal('access', CLAIMS);

  fc.assert(
    fc.property(
      fc.nat({ max: token.length - 1 }),
      fc.constantFrom('A', 'B', 'x', 'y', '0', '9', '-', '_', '='),
      (index, letter) => {
        const altered = token.slice(0, index) + letter + token.slice(index + 1);
        expect(values.open('access', altered) === undefined).toBe(altered !== token);
      },
    ),
    { numRuns: 2_000 },
  );
});

/** The sealed values of a sign-in: claims come back unchanged, and a change of any byte is refused. */
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import {
  type AccessClaims,
  type ClaimsOf,
  createSealedValues,
  type Kind,
} from '../../../src/auth/sign-in/sealed-values.ts';
import { createSealer } from '../../../src/sealed.ts';
import { anyCharacter } from '../../support/any-character.ts';

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

test('claims come back unchanged, absent ones absent', () => {
  for (const claims of [CLAIMS, { ...CLAIMS, scopes: undefined }, { ...CLAIMS, scopes: [] }])
    expect(values.open('access', values.seal('access', claims))).toEqual(claims);
});

test('a value cannot be opened as another kind, or with another prefix', () => {
  const token = values.seal('access', CLAIMS);
  const asRefresh = token.replace('mcp_at_', 'mcp_rt_');

  for (const kind of ['refresh', 'code', 'client', 'secret', 'ticket'] as const)
    for (const text of [token, asRefresh]) expect(values.open(kind, text)).toBeUndefined();
  expect(values.open('access', asRefresh)).toBeUndefined();
  expect(values.open('access', token.slice('mcp_at_'.length))).toBeUndefined();
});

/** A ticket without the fields that a code lacks, and with a redirect URI of this length. */
const ofLength = (length: number): ClaimsOf['ticket'] => ({
  ...SAMPLES.ticket,
  clientName: undefined,
  clientHost: undefined,
  state: undefined,
  redirectUri: `https://claude.ai/${'é'.repeat(length)}`,
  scopes: CLAIMS.scopes,
});

/** The code for a ticket. */
const ofTicket = (ticket: ClaimsOf['ticket']): ClaimsOf['code'] => ({
  ...SAMPLES.code,
  ...ticket,
  ...CLAIMS,
});

test('every ticket that can be sealed leaves room for its code, and a longer one is refused', () => {
  const fits = (length: number): boolean => {
    try {
      return values.seal('ticket', ofLength(length)) !== '';
    } catch {
      return false;
    }
  };
  const longest = Array.from({ length: 4_100 }, (_, length) => length).findLast(fits) ?? 0;

  expect(longest).toBeGreaterThan(3_500);
  expect(() => values.seal('ticket', ofLength(longest + 1))).toThrow('The parameters are too long in total.');
  const code = ofTicket(ofLength(longest));
  expect(values.open('code', values.seal('code', code))).toMatchObject({ redirectUri: code.redirectUri });
});

/** The claims of a value of each kind. */
const SAMPLES: { readonly [K in Kind]: ClaimsOf[K] } = {
  access: CLAIMS,
  refresh: { ...CLAIMS, scopes: undefined, generation: 3 },
  code: {
    ...CLAIMS,
    refreshes: true,
    redirectUri: 'http://127.0.0.1:3118/callback',
    namedRedirect: true,
    challenge: 'd'.repeat(43),
    resources: ['https://my-app.example/mcp'],
    madeBy: 'f'.repeat(36),
  },
  client: {
    redirectUris: ['http://localhost/callback', 'cursor://anysphere.cursor-mcp/oauth/callback'],
    name: 'Zoë’s client',
    hasSecret: true,
    refreshes: true,
    issuedAtMs: 1_700_000_000_000,
  },
  secret: { client: 'b'.repeat(22) },
  ticket: {
    client: 'b'.repeat(22),
    clientName: 'Claude',
    clientHost: 'claude.ai',
    refreshes: true,
    redirectUri: 'https://claude.ai/api/mcp/auth_callback',
    namedRedirect: false,
    state: 'e'.repeat(60),
    challenge: 'd'.repeat(43),
    scopes: undefined,
    wantsOffline: true,
    resources: [],
    issuer: 'https://my-app.example',
    expiresAtMs: 1_700_000_600_000,
    madeBy: undefined,
  },
};

describe.each(Object.keys(SAMPLES) as Kind[])('a value of the kind %s', (kind) => {
  const [one, other] = [values.seal(kind, SAMPLES[kind]), values.seal(kind, SAMPLES[kind])];
  const prefix = 'mcp_xx_'.length;

  test('cannot be opened with any bit or any character changed', () => {
    const sealed = Buffer.from(one.slice(prefix), 'base64url');
    const flipped = Array.from({ length: sealed.length * 8 }, (_, bit) => {
      const bytes = Buffer.from(sealed);
      bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      return one.slice(0, prefix) + bytes.toString('base64url');
    });
    const letters = Array.from(one).map((old, at) => one.slice(0, at) + (old === 'A' ? 'B' : 'A') + one.slice(at + 1));

    expect(values.open(kind, one)).toEqual(SAMPLES[kind]);
    expect([...flipped, ...letters].filter((text) => values.open(kind, text) !== undefined)).toEqual([]);
  }); // prettier-ignore

  test('cannot be opened when it is spliced, extended or shortened', () => {
    const at = fc.nat({ max: one.length });
    const piece = fc.oneof(fc.string({ maxLength: 3 }), fc.string({ unit: anyCharacter, maxLength: 2 }));
    const altered = fc.oneof(
      fc.tuple(at, at, piece).map(([from, to, text]) => one.slice(0, from) + text + one.slice(to)),
      // The beginning of one value and the end of another.
      at.map((cut) => one.slice(0, cut) + other.slice(cut)),
      fc.tuple(piece, piece).map(([before, after]) => before + one + after),
      at.map((cut) => one.slice(cut) + one.slice(0, cut)),
    );

    fc.assert(
      fc.property(altered, (text) => {
        const isWhole = text === one || text === other;
        expect(values.open(kind, text)).toEqual(isWhole ? SAMPLES[kind] : undefined);
      }),
      { numRuns: 500 },
    );
  });
});

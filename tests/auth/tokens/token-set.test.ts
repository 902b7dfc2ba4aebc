/** The lookup of tokens: only by digest, within their time, and for any set of entries. */
import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { pino } from 'pino';
import { readCredential } from '../../../src/auth/credential.ts';
import { parseTokens } from '../../../src/auth/tokens/parse-tokens.ts';
import { digestToken, tokenIdOf } from '../../../src/auth/digest.ts';
import { createTokenSet, type TokenSet } from '../../../src/auth/tokens/token-set.ts';

const TOKEN = 'tok_ada_0123456789';

/** The set of a token file's content, with a clock that the test passes. */
function setOf(file: Record<string, Record<string, unknown>>, now: () => number = () => 0): TokenSet {
  return createTokenSet(parseTokens(JSON.stringify(file)), now);
}

/** The user id to which a token belongs, or the reason of its refusal. */
function userOf(set: TokenSet, token: string): string {
  const verification = set.verify(token);
  return verification.ok ? verification.grant.user.userId : verification.reason;
}

describe('a token', () => {
  test('in the set yields a frozen grant of its user, with an id that is no secret', () => {
    const set = setOf({ [TOKEN]: { userId: 'ada', name: 'Ada', scopes: ['greet'] } });

    const verification = set.verify(TOKEN);

    expect(verification).toEqual({
      ok: true,
      grant: {
        user: { userId: 'ada', name: 'Ada', scopes: ['greet'], metadata: {} },
        tokenId: digestToken(TOKEN).slice(0, 8),
      },
    });
    expect(Object.isFrozen(verification.ok && verification.grant)).toBe(true);
    expect(JSON.stringify(verification)).not.toContain(TOKEN);
  });

  test('that differs in one character, in case or by a space is unknown', () => {
    const set = setOf({ [TOKEN]: { userId: 'ada' } });

    const answers = [`${TOKEN}0`, TOKEN.slice(0, -1), TOKEN.toUpperCase(), ` ${TOKEN}`, '', '__proto__'].map(
      (token) => userOf(set, token),
    );

    expect(new Set(answers)).toEqual(new Set(['unknown']));
  });

  test('whose digest is in the file is accepted', () => {
    const set = setOf({ [`sha256:${digestToken(TOKEN)}`]: { userId: 'ada' } });

    expect(userOf(set, TOKEN)).toBe('ada');
  });

  test('is never accepted by its digest, in any spelling', () => {
    const plain = setOf({ [TOKEN]: { userId: 'ada' } });
    const hashed = setOf({ [`sha256:${digestToken(TOKEN)}`]: { userId: 'ada' } });
    const digest = digestToken(TOKEN);

    for (const set of [plain, hashed]) {
      for (const sent of [
        digest,
        digest.toUpperCase(),
        `sha256:${digest}`,
        `sha256:${digest.toUpperCase()}`,
      ]) {
        expect(userOf(set, sent)).toBe('unknown');
      }
    }
  });

  test.each(['__proto__', 'constructor', '7'])('%s is a token like any other', (token) => {
    const set = createTokenSet(parseTokens(`{"${token}":{"userId":"ada"}}`));

    expect(userOf(set, token)).toBe('ada');
    expect(userOf(set, 'toString')).toBe('unknown');
  });
});

describe('the validity of a token', () => {
  const expiresAt = '2027-06-30T00:00:00Z';
  const moment = Date.parse(expiresAt);

  test.each([
    { at: moment - 1, answer: 'ada' },
    { at: moment, answer: 'expired' },
    { at: moment + 1, answer: 'expired' },
  ])('ends exactly at expiresAt: $answer at $at', ({ at, answer }) => {
    const set = setOf({ [TOKEN]: { userId: 'ada', expiresAt } }, () => at);

    expect(userOf(set, TOKEN)).toBe(answer);
  });

  test.each([
    { at: moment - 1, answer: 'not_yet_valid' },
    { at: moment, answer: 'ada' },
    { at: moment + 1, answer: 'ada' },
  ])('begins exactly at notBefore: $answer at $at', ({ at, answer }) => {
    const set = setOf({ [TOKEN]: { userId: 'ada', notBefore: expiresAt } }, () => at);

    expect(userOf(set, TOKEN)).toBe(answer);
  });

  test('is checked against the clock at every lookup', () => {
    let nowMs = moment - 1;
    const set = setOf({ [TOKEN]: { userId: 'ada', expiresAt } }, () => nowMs);

    const before = userOf(set, TOKEN);
    nowMs = moment;
    const after = userOf(set, TOKEN);

    expect([before, after]).toEqual(['ada', 'expired']);
  });

  test('is not the reason of refusal for a disabled token, which is reported as disabled', () => {
    const set = setOf({ [TOKEN]: { userId: 'ada', disabled: true, expiresAt } }, () => moment);

    expect(userOf(set, TOKEN)).toBe('disabled');
  });

  test('is unlimited for "disabled": false without dates', () => {
    const set = setOf({ [TOKEN]: { userId: 'ada', disabled: false } }, () => Number.MAX_SAFE_INTEGER);

    expect(userOf(set, TOKEN)).toBe('ada');
  });
});

describe('several tokens of one user', () => {
  const file = {
    tok_old: { userId: 'ada', expiresAt: '1970-01-01T00:00:01Z' },
    tok_new: { userId: 'ada', name: 'Ada', scopes: ['greet'] },
    tok_bob: { userId: 'bob', expiresAt: '1970-01-01T00:00:01Z' },
  };

  test('yield the user as their own entry has it', () => {
    const set = setOf(file);

    expect(set.verify('tok_old')).toMatchObject({ grant: { user: { name: 'ada' } } });
    expect(set.verify('tok_new')).toMatchObject({ grant: { user: { name: 'Ada', scopes: ['greet'] } } });
    expect(set.size).toBe(3);
  });

  test('keep the user valid until the last of them expires', () => {
    let nowMs = 999;
    const set = setOf(file, () => nowMs);

    const before = ['ada', 'bob'].map((user) => set.hasValidToken(user));
    nowMs = 1000;
    const after = ['ada', 'bob'].map((user) => set.hasValidToken(user));

    expect(before).toEqual([true, true]);
    expect(after).toEqual([true, false]);
  });

  test('have grants that each end with their own token', () => {
    let nowMs = 999;
    const set = setOf(file, () => nowMs);
    const grants = ['tok_old', 'tok_new'].map((token) => grantOf(set, token));

    const before = grants.map((grant) => set.isCurrent(grant));
    nowMs = 1000;
    const after = grants.map((grant) => set.isCurrent(grant));

    expect(before).toEqual([true, true]);
    expect(after).toEqual([false, true]);
  });
});

describe('a grant of an earlier set', () => {
  test('is current while its token is there, whatever else has changed', () => {
    const grant = grantOf(setOf({ [TOKEN]: { userId: 'ada', name: 'Ada' } }), TOKEN);

    const later = setOf({ tok_bob: { userId: 'bob' }, [TOKEN]: { userId: 'ada', name: 'Countess' } });

    expect(later.isCurrent(grant)).toBe(true);
  });

  test.each([
    ['is gone', { tok_new: { userId: 'ada' } }],
    ['is disabled', { [TOKEN]: { userId: 'ada', disabled: true } }],
    ['belongs to another user', { [TOKEN]: { userId: 'bob' } }],
  ])('is not current once its token %s', (_case, file) => {
    const grant = grantOf(setOf({ [TOKEN]: { userId: 'ada' } }), TOKEN);

    expect(setOf(file).isCurrent(grant)).toBe(false);
  });

  test('is not current for another token of the same user with the same id', () => {
    const grant = grantOf(setOf({ [TOKEN]: { userId: 'ada' } }), TOKEN);
    const namesake = `${digestToken(TOKEN).slice(0, 8)}${'0'.repeat(56)}`;

    const later = setOf({ [`sha256:${namesake}`]: { userId: 'ada' } });

    expect(later.isCurrent(grant)).toBe(false);
  });

  test("has its token's digest in a key that shows in no log, no JSON and no copy", () => {
    const grant = grantOf(setOf({ [TOKEN]: { userId: 'ada' } }), TOKEN);
    const lines: string[] = [];
    const log = pino({}, { write: (line: string) => lines.push(line) });
    const { key = 'none' } = grant;

    log.info({ ...grant, grant, list: [grant], err: Object.assign(new Error('x'), { grant }) }, 'everything');

    expect(key).toBe(digestToken(TOKEN));
    expect(lines.join()).toContain(grant.tokenId);
    for (const text of [...lines, JSON.stringify(grant), inspect({ ...grant }), inspect(grant)])
      expect(text).not.toContain(key.slice(8));
  });

  test('without a token, as one from while authentication was off, is not current', () => {
    const set = setOf({ [TOKEN]: { userId: 'ada' } });

    expect(set.isCurrent({ user: { userId: 'ada', name: 'ada', metadata: {} } })).toBe(false);
    expect(set.hasValidToken('__proto__')).toBe(false);
  });
});

test('a lookup among 100,000 tokens does not walk along the entries', () => {
  const entries = Array.from({ length: 100_000 }, (_, index) => ({
    digest: digestToken(`tok_${index}`),
    user: { userId: `user_${index}`, name: 'x', metadata: {} },
    disabled: false,
  }));
  const set = createTokenSet(entries);

  // Walking along the entries would take minutes, so the loop stops at a deadline.
  const deadlineMs = performance.now() + 5000;
  let found = 0;
  for (let index = 99_999; index >= 80_000 && performance.now() < deadlineMs; index -= 1) {
    if (userOf(set, `tok_${index}`) === `user_${index}`) found += 1;
  }

  expect(found).toBe(20_000);
});

/** Whether a request can present a token. */
function isSendable(text: string): boolean {
  return readCredential({ authorization: `Bearer ${text}` }).kind === 'token';
}

describe('for any set of tokens', () => {
  const token = fc
    .string({ minLength: 1, unit: 'grapheme-ascii' })
    .filter((text) => /^[\x21-\x7e]+$/.test(text));
  const file = fc.uniqueArray(
    fc.record({
      token: token.filter((text) => !text.startsWith('sha256:') && isSendable(text)),
      hashed: fc.boolean(),
    }),
    { minLength: 1, maxLength: 20, selector: (entry) => entry.token },
  );

  test('each token is found and yields its own user', () => {
    fc.assert(
      fc.property(file, (entries) => {
        const set = createTokenSet(parseTokens(textOf(entries)));

        const users = entries.map(({ token: sent }) => userOf(set, sent));

        expect(users).toEqual(entries.map((_, index) => `user ${index}`));
        expect(set.size).toBe(entries.length);
      }),
    );
  });

  test('nothing else is found', () => {
    fc.assert(
      fc.property(file, fc.array(fc.oneof(token, fc.string())), (entries, others) => {
        const set = createTokenSet(parseTokens(textOf(entries)));
        const known = new Set(entries.map((entry) => entry.token));
        const digests = entries.map((entry) => digestToken(entry.token));

        const sent = [...others, ...digests, ...digests.map((digest) => `sha256:${digest}`)];

        const found = sent.filter((guess) => !known.has(guess) && userOf(set, guess) !== 'unknown');
        expect(found).toEqual([]);
      }),
    );
  });
});

test('a token id is the first eight hex digits of the SHA-256 digest in lower case', () => {
  const digest = digestToken('1');

  expect(digest).toBe('6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b');
  expect(tokenIdOf(digest)).toBe('6b86b273');
});

/** The text of a file, written by hand so that no key is lost or moved. */
function textOf(entries: readonly { token: string; hashed: boolean }[]): string {
  const properties = entries.map(({ token, hashed }, index) => {
    const name = hashed ? `sha256:${digestToken(token)}` : token;
    return `${JSON.stringify(name)}: {"userId": "user ${index}"}`;
  });
  return `{${properties.join(',')}}`;
}

/** The grant of a token that the set accepts. */
function grantOf(set: TokenSet, token: string) {
  const verification = set.verify(token);
  if (!verification.ok) throw new Error(`refused: ${verification.reason}`);
  return verification.grant;
}

/** The strict parser of a token file: what it accepts, and that every refusal names the place and never a secret. */
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { parseTokens } from '../../src/auth/tokens/parse-tokens.ts';
import { TokenFileError } from '../../src/auth/tokens/token-file-error.ts';
import { digestToken } from '../../src/auth/digest.ts';

const SECRET = 'tok_secret_0123456789';

/** The message with which a text is refused; throws when it is accepted or refused otherwise. */
function refusalOf(text: string): string {
  try {
    parseTokens(text);
  } catch (error) {
    if (error instanceof TokenFileError) return error.message;
    throw error;
  }
  throw new Error('The text was accepted.');
}

/** A file whose only entry has these fields besides a user id. */
function fileWith(fields: Record<string, unknown>): string {
  return JSON.stringify({ [SECRET]: { userId: 'ada', ...fields } });
}

describe('an accepted file', () => {
  test('yields each entry with its digest, user and times, in order', () => {
    const text = JSON.stringify({
      [SECRET]: { userId: 'ada' },
      [`sha256:${digestToken('tok_other')}`]: {
        userId: 'bob',
        name: 'Bob',
        scopes: ['greet', 'urn:x/y#z'],
        expiresAt: '2027-06-30T00:00:00Z',
        notBefore: '2026-01-01T02:00:00+02:00',
        signInsSince: '2026-02-01T00:00:00.5Z',
        limit: 60,
        disabled: true,
        metadata: { team: ['a', 1, null, { deep: true }] },
      },
    });

    const entries = parseTokens(text);

    expect(entries).toEqual([
      {
        digest: digestToken(SECRET),
        user: { userId: 'ada', name: 'ada', metadata: {} },
        expiresAtMs: undefined,
        notBeforeMs: undefined,
        signInsSinceMs: undefined,
        disabled: false,
        isPlain: true,
      },
      {
        digest: digestToken('tok_other'),
        user: {
          userId: 'bob',
          name: 'Bob',
          scopes: ['greet', 'urn:x/y#z'],
          metadata: { team: ['a', 1, null, { deep: true }] },
        },
        expiresAtMs: Date.UTC(2027, 5, 30),
        notBeforeMs: Date.UTC(2026, 0, 1),
        signInsSinceMs: Date.UTC(2026, 1, 1) + 500,
        limit: 60,
        disabled: true,
      },
    ]);
  });

  test('yields no token', () => {
    const entries = parseTokens(JSON.stringify({ [SECRET]: { userId: 'ada', name: 'Ada' } }));

    expect(JSON.stringify(entries)).not.toContain(SECRET);
  });

  test('may have a digest in upper case, which equals the one in lower case', () => {
    const digest = digestToken(SECRET);

    const [entry] = parseTokens(JSON.stringify({ [`sha256:${digest.toUpperCase()}`]: { userId: 'ada' } }));

    expect(entry?.digest).toBe(digest);
  });

  test('may have a date without time, which is its first moment in UTC', () => {
    const [entry] = parseTokens(fileWith({ expiresAt: '2027-06-30' }));

    expect(entry?.expiresAtMs).toBe(Date.UTC(2027, 5, 30));
  });

  test('may hold several tokens of one user, and none at all', () => {
    expect(parseTokens('{"tok_a":{"userId":"ada"},"tok_b":{"userId":"ada"}}')).toHaveLength(2);
    expect(parseTokens('{}')).toEqual([]);
  });

  test('keeps the order of entries whose keys are whole numbers', () => {
    const text = '{"tok_first":{"userId":"first"},"7":{"userId":"second"},"3":{"userId":"third"}}';

    const entries = parseTokens(text);

    expect(entries.map(({ user }) => user.userId)).toEqual(['first', 'second', 'third']);
    expect(entries[1]?.digest).toBe(digestToken('7'));
  });

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('may have %s as a token', (key) => {
    const entries = parseTokens(`{"${key}":{"userId":"ada"}}`);

    expect(entries.map(({ digest }) => digest)).toEqual([digestToken(key)]);
  });

  test('cannot reach a prototype through __proto__ in metadata', () => {
    const [entry] = parseTokens(`{"${SECRET}":{"userId":"ada","metadata":{"__proto__":{"admin":true}}}}`);

    expect(entry?.user.metadata['admin']).toBeUndefined();
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
  });
});

describe('a field', () => {
  test.each([
    { field: 'userId', value: 5, problem: 'needs "userId", a string' },
    { field: 'userId', value: undefined, problem: 'needs "userId", a string' },
    { field: 'userId', value: null, problem: 'needs "userId", a string' },
    { field: 'userId', value: '', problem: 'field "userId" must not be empty' },
    { field: 'userId', value: ' \t ', problem: 'field "userId" must not be empty' },
    { field: 'userId', value: 'u'.repeat(201), problem: 'field "userId" must be at most 200 characters' },
    { field: 'name', value: 17, problem: 'field "name" must be a string' },
    { field: 'name', value: '', problem: 'field "name" must not be empty' },
    { field: 'name', value: 'n'.repeat(201), problem: 'field "name" must be at most 200 characters' },
    { field: 'scopes', value: 'greet', problem: 'field "scopes" must be a list of strings' },
    { field: 'scopes', value: [5], problem: 'field "scopes" must hold strings' },
    { field: 'scopes', value: ['a b'], problem: 'field "scopes" must hold scopes without spaces or quotes' },
    { field: 'scopes', value: ['"'], problem: 'field "scopes" must hold scopes without spaces or quotes' },
    { field: 'scopes', value: [''], problem: 'field "scopes" must hold scopes without spaces or quotes' },
    { field: 'expiresAt', value: 'soon', problem: 'field "expiresAt" must be a date such as' },
    { field: 'expiresAt', value: 1_814_313_600, problem: 'field "expiresAt" must be a date such as' },
    { field: 'expiresAt', value: '2027-02-30', problem: 'field "expiresAt" must be a date such as' },
    {
      field: 'expiresAt',
      value: '2027-06-30T25:00:00Z',
      problem: 'field "expiresAt" must be a date such as',
    },
    // Without a time zone, the moment would depend on where the server runs.
    { field: 'expiresAt', value: '2027-06-30T00:00:00', problem: 'field "expiresAt" must be a date such as' },
    { field: 'notBefore', value: '30.6.2027', problem: 'field "notBefore" must be a date such as' },
    { field: 'signInsSince', value: 'today', problem: 'field "signInsSince" must be a date such as' },
    { field: 'signInsSince', value: true, problem: 'field "signInsSince" must be a date such as' },
    { field: 'limit', value: '60', problem: 'field "limit" must be a whole number' },
    { field: 'limit', value: 0.5, problem: 'field "limit" must be a whole number' },
    { field: 'limit', value: -1, problem: 'field "limit" must be from 0 to 1000000' },
    { field: 'limit', value: 1_000_001, problem: 'field "limit" must be from 0 to 1000000' },
    { field: 'disabled', value: 'yes', problem: 'field "disabled" must be true or false' },
    { field: 'disabled', value: null, problem: 'field "disabled" must be true or false' },
    { field: 'metadata', value: ['x'], problem: 'field "metadata" must be an object' },
    { field: 'metadata', value: 'x', problem: 'field "metadata" must be an object' },
    { field: 'expires', value: '2027-06-30', problem: 'has the unknown field "expires"' },
    { field: 'Disabled', value: true, problem: 'has the unknown field "Disabled"' },
  ])('$field = $value is refused: $problem', ({ field, value, problem }) => {
    const text = JSON.stringify({ tok_good: { userId: 'bob' }, [SECRET]: { userId: 'ada', [field]: value } });

    const refusal = refusalOf(text);

    expect(refusal).toMatch(/^entry 2 /);
    expect(refusal).toContain(problem);
    expect(refusal).not.toContain(SECRET);
    expect(refusal).not.toContain(';');
  });

  test.each(['userId', 'name'])('%s of 200 characters is accepted', (field) => {
    expect(parseTokens(fileWith({ [field]: 'x'.repeat(200) }))).toHaveLength(1);
  });

  test('with an unknown name that could be a token is refused without its name', () => {
    const refusal = refusalOf(fileWith({ [`${SECRET}_misplaced`]: true }));

    expect(refusal).toBe('entry 1 has the unknown field (name not shown)');
  });

  test('__proto__ is refused like every unknown field', () => {
    const refusal = refusalOf(`{"${SECRET}":{"userId":"ada","__proto__":{"disabled":false}}}`);

    expect(refusal).toBe('entry 1 has the unknown field (name not shown)');
  });

  test('that is doubled in an entry is refused, since JSON.parse would keep only the last one', () => {
    const refusal = refusalOf(`{"${SECRET}":{"userId":"ada","disabled":true,"disabled":false}}`);

    expect(refusal).toBe('entry 1 names "disabled" twice');
  });
});

describe('an entry', () => {
  test.each(['null', '"ada"', '[]', '5', 'true'])('%s is refused, as it is no object', (value) => {
    const refusal = refusalOf(`{"tok_good":{"userId":"bob"},"${SECRET}":${value}}`);

    expect(refusal).toBe('entry 2 must be an object with at least "userId"');
  });

  test.each([
    ['is empty', ''],
    ['holds a space', 'tok secret'],
    ['ends with a line break', `${SECRET}\n`],
    ['holds a letter that no header can carry', 'tok_sécret'],
    ['is a digest that is too short', 'sha256:6b86b273'],
    ['is a digest with its prefix in capitals', `SHA256:${'6b86b273'.repeat(8)}`],
    ['is a digest with a wrong digit', `sha256:${'g'.repeat(64)}`],
    ['is a digest that is too long', `sha256:${'a'.repeat(65)}`],
  ])('whose key %s is refused by its position', (_case, key) => {
    const refusal = refusalOf(JSON.stringify({ tok_good: { userId: 'bob' }, [key]: { userId: 'ada' } }));

    expect(refusal).toBe(
      'entry 2 has a key that is neither a token of printable characters without spaces nor "sha256:" and 64 hex digits',
    );
  });

  test.each([
    ['an unreplaced variable', '${MCP_TOKEN}', 'the name of a variable'],
    ['an unreplaced variable of a shell', '$MCP_TOKEN', 'the name of a variable'],
    ['an unreplaced variable of Windows', '%MCP_TOKEN%', 'the name of a variable'],
    ['quoted', '"tok_secret"', 'Remove the quotes'],
    ['in angle brackets', '<tok_secret>', 'Remove the quotes or brackets'],
    ['encrypted by a client', '__encrypted__:abcdef0123456789', 'encrypted'],
  ])('whose key looks %s is refused with the reason why no request can present it', (_case, key, words) => {
    const refusal = refusalOf(JSON.stringify({ tok_good: { userId: 'bob' }, [key]: { userId: 'ada' } }));

    expect(refusal).toMatch(
      /^entry 2 has a key that is refused whenever a client sends it, in these words: "/,
    );
    expect(refusal).toContain(words);
    expect(refusal).not.toContain(key);
  });

  test.each(['Bearer tok_secret', 'tok_\u{1f600}', 'tok\u0000'])('whose key is %j is refused', (key) => {
    expect(refusalOf(JSON.stringify({ [key]: { userId: 'ada' } }))).toContain(
      'entry 1 has a key that is neither',
    );
  });

  test('whose key is longer than a header is refused', () => {
    const fits = JSON.stringify({ ['x'.repeat(8_000)]: { userId: 'ada' } });

    expect(parseTokens(fits)).toHaveLength(1);
    expect(refusalOf(fits.replace('x', 'xx'))).toBe(
      'entry 1 has a key of more than 8000 characters, which no header holds',
    );
  });

  test('whose key is doubled is refused with both positions', () => {
    const refusal = refusalOf(
      `{"${SECRET}":{"userId":"ada"},"tok_b":{"userId":"bob"},"${SECRET}":{"userId":"eve"}}`,
    );

    expect(refusal).toBe('entry 3 is the same token as entry 1');
  });

  test("that is the digest of another entry's token is refused with both positions", () => {
    const plainFirst = refusalOf(
      JSON.stringify({
        [SECRET]: { userId: 'ada' },
        [`sha256:${digestToken(SECRET)}`]: { userId: 'eve' },
      }),
    );
    const digestFirst = refusalOf(
      JSON.stringify({
        [`SHA256:${digestToken(SECRET)}`.replace('SHA', 'sha')]: { userId: 'eve' },
        tok_b: { userId: 'bob' },
        [SECRET]: { userId: 'ada' },
      }),
    );

    expect(plainFirst).toBe('entry 2 is the same token as entry 1');
    expect(digestFirst).toBe('entry 3 is the same token as entry 1');
  });

  test('whose digest is doubled in different case is refused with both positions', () => {
    const digest = digestToken(SECRET);

    const refusal = refusalOf(
      JSON.stringify({
        [`sha256:${digest}`]: { userId: 'ada' },
        [`sha256:${digest.toUpperCase()}`]: { userId: 'eve' },
      }),
    );

    expect(refusal).toBe('entry 2 is the same token as entry 1');
  });

  test("whose key is a whole number is refused by its position in the text, not in JavaScript's order", () => {
    const refusal = refusalOf('{"tok_a":{"userId":"ada"},"tok_b":{"userId":"bob"},"1":{"userId":""}}');

    expect(refusal).toBe('entry 3 field "userId" must not be empty');
  });
});

describe('several faults', () => {
  test('are reported together', () => {
    const refusal = refusalOf(
      JSON.stringify({
        [SECRET]: { userId: '', name: 5 },
        tok_good: { userId: 'bob' },
        'tok bad': { nick: 'eve' },
      }),
    );

    expect(refusal.split('; ')).toEqual([
      'entry 1 field "userId" must not be empty',
      'entry 1 field "name" must be a string',
      expect.stringMatching(/^entry 3 has a key /),
      'entry 3 needs "userId", a string',
      'entry 3 has the unknown field "nick"',
    ]);
  });

  test('beyond five are counted', () => {
    const entries = Array.from({ length: 8 }, (_, index) => [`tok_${index}`, { userId: '' }]);

    const refusal = refusalOf(JSON.stringify(Object.fromEntries(entries)));

    expect(refusal.split('; ')).toHaveLength(6);
    expect(refusal).toMatch(/; and 3 more$/);
  });
});

test.each([
  ['metadata', `{"tok_a":{"userId":"ada","metadata":${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}}}`],
  ['lists', `{"tok_a":${'['.repeat(5000)}${']'.repeat(5000)}}`],
  ['unclosed arrays', '['.repeat(100_000)],
])('%s nested too deeply are refused', (_case, text) => {
  expect(refusalOf(text)).toBe('is nested deeper than 100 levels');
});

describe('text that is not JSON', () => {
  test.each([
    ['nothing', '', 'line 1, column 1'],
    ['spaces', '  ', 'line 1, column 3'],
    ['an unclosed object', '{"tok_a":{"userId":"ada"}', 'line 1, column 26'],
    ['a comma too many', '{\n  "tok_a": {"userId": "ada"},\n}', 'line 3, column 1'],
    ['a missing comma', '{\n"tok_a":{"userId":"ada"}\n"tok_b":{"userId":"bob"}}', 'line 3, column 1'],
    ['a comment', '{\n  // who\n  "tok_a":{"userId":"ada"}}', 'line 2, column 3'],
    ['single quotes', "{'tok_a':{}}", 'line 1, column 2'],
    ['an open string', '{"tok_a":{"userId":"ada', 'line 1, column 20'],
    ['text after the end', '{"tok_a":{"userId":"ada"}}\r\n{}', 'line 2, column 1'],
  ])('such as %s is refused with line and column', (_case, text, place) => {
    expect(refusalOf(text)).toMatch(new RegExp(`^not valid JSON at ${place} \\(\\w+\\)$`));
  });

  test('is refused without any part of it in the message', () => {
    const refusal = refusalOf(`{"${SECRET}": {"userId": "ada" "name": ${SECRET}}}`);

    expect(refusal).not.toContain(SECRET);
    expect(refusal).not.toContain('ada');
  });

  test.each(['[]', '"tok"', '5', 'null', 'true'])(
    'is not what %s is called: it is refused as no object',
    (text) => {
      expect(refusalOf(text)).toBe('must be a JSON object whose keys are tokens or "sha256:" digests');
    },
  );
});

describe('for any text', () => {
  test('invalid JSON is refused, and valid JSON is never reported as invalid', () => {
    const valid = fc.json({ maxDepth: 3 });
    const damaged = fc
      .tuple(valid, fc.nat(), fc.constantFrom('', ',', '"', '{', '}', '\\', '\n', '0', '-', '.', 'e', '//'))
      .map(([json, at, inserted]) => {
        const cut = at % (json.length + 1);
        return json.slice(0, cut) + inserted + json.slice(cut + (at % 2));
      });

    fc.assert(
      fc.property(fc.oneof(valid, damaged), (text) => {
        const message = messageOf(() => parseTokens(text));

        expect(message?.startsWith('not valid JSON') ?? false).toBe(!isJson(text));
      }),
      { numRuns: 500 },
    );
  });

  test('a refusal contains neither a key nor a value', () => {
    const secret = fc.string({ minLength: 12, unit: 'grapheme-ascii' });
    const value = fc.oneof(secret, fc.array(secret), fc.dictionary(secret, secret));
    const field = fc.oneof(
      secret,
      fc.constantFrom('userId', 'name', 'scopes', 'expiresAt', 'disabled', 'metadata'),
    );
    const entry = fc.oneof(value, fc.dictionary(field, value));

    fc.assert(
      fc.property(fc.dictionary(secret, entry, { minKeys: 1, maxKeys: 4 }), (file) => {
        const message = messageOf(() => parseTokens(JSON.stringify(file))) ?? '';

        // Names of letters alone are shown: fields have such names, and no token.
        const shown = stringsOf(file).filter(
          (word) => word.length >= 12 && !/^[A-Za-z]{1,24}$/.test(word) && message.includes(word),
        );
        expect(shown).toEqual([]);
      }),
    );
  });
});

/** The message of the TokenFileError that a function throws; undefined if it throws none. */
function messageOf(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof TokenFileError) return error.message;
    throw error;
  }
}

/** Whether JSON.parse accepts a text. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Every key and string of a JSON value. */
function stringsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return [...Object.keys(value), ...Object.values(value).flatMap(stringsOf)];
}

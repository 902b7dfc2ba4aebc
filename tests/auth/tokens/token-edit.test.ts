/** Edits of a token file's text: what they change, and that they change nothing else. */
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { readCredential } from '../../../src/auth/credential.ts';
import { parseTokens } from '../../../src/auth/tokens/parse-tokens.ts';
import {
  type EntryChange,
  editTokens,
  EMPTY_TOKEN_FILE,
  type EntryFields,
  readTokenText,
  toOneLine as toOneLineOf,
} from '../../../src/auth/tokens/token-edit.ts';
import type { TokenEntry } from '../../../src/auth/tokens/token-set.ts';
import { digestToken } from '../../../src/auth/digest.ts';

/** One edit of a text that is read for it. */
const addEntry = (text: string, digest: string, fields: EntryFields): string =>
  editTokens(readTokenText(text), { add: [{ digest, fields }] });
const removeEntries = (text: string, remove: ReadonlySet<string>): string =>
  editTokens(readTokenText(text), { remove });
const changeEntry = (text: string, digest: string, change: EntryChange): string =>
  editTokens(readTokenText(text), { change: new Map([[digest, change]]) });
const toOneLine = (text: string): string => toOneLineOf(readTokenText(text));

const [A, B, C] = ['a', 'b', 'c'].map((letter) => letter.repeat(64)) as [string, string, string];

/** Entries without the form in which the file has their keys. */
const withoutForm = (entries: readonly TokenEntry[]): TokenEntry[] =>
  entries.map((entry) => ({
    ...entry,
    isPlain: undefined,
    weakness: entry.weakness === 'published' ? entry.weakness : undefined,
  }));

/** A file as people write it: entries on one line and on several, a plain token, an empty line. */
const FILE = `{
  "sha256:${A}": { "userId": "ada", "scopes": ["greet"] },

  "tok_plain": {
    "userId": "bob",
    "metadata": {"free": [1, 2]}
  },
  "sha256:${B}": {"userId":"cyd"}
}
`;

describe('adding an entry', () => {
  test('to an empty file puts it on a line of its own', () => {
    const text = addEntry(EMPTY_TOKEN_FILE, A, { userId: 'ada', name: undefined, scopes: ['x', 'y'] });

    expect(text).toBe(`{\n  "sha256:${A}": { "userId": "ada", "scopes": ["x", "y"] }\n}\n`);
  });

  test('keeps every byte of the others', () => {
    const text = addEntry(FILE, C, { userId: 'eve' });

    expect(text).toBe(`${FILE.slice(0, -3)},\n  "sha256:${C}": { "userId": "eve" }\n}\n`);
  });

  test.each([
    ['on one line', '{"tok_a":{"userId":"ada"}}', '{"tok_a":{"userId":"ada"},"KEY": { "userId": "eve" }}'],
    [
      'with Windows line ends',
      '{\r\n\t"tok_a": {"userId":"ada"}\r\n}',
      '{\r\n\t"tok_a": {"userId":"ada"},\r\n\t"KEY": { "userId": "eve" }\r\n}',
    ],
    [
      'with a comma first',
      '{ "tok_a": {"userId":"ada"}\n, "tok_b": {"userId":"bob"} }',
      '{ "tok_a": {"userId":"ada"}\n, "tok_b": {"userId":"bob"},\n "KEY": { "userId": "eve" } }',
    ],
  ])('to a file %s follows its form', (_, before, after) => {
    expect(addEntry(before, C, { userId: 'eve' })).toBe(after.replace('KEY', `sha256:${C}`));
  });

  test('that the parser would refuse is refused', () => {
    expect(() => addEntry(FILE, C, { userId: '' })).toThrow('the entry field "userId" must not be empty');
    expect(() => addEntry(FILE, A, { userId: 'eve' })).toThrow('the entry is the same token as another one');
  });
});

describe('a character that no log or page can show', () => {
  const WITH_ONE = '{ "tok_a": { "userId": "new\\nline", "name": "N" } }';

  test('is refused in the user or the name of a new entry, and in a changed name', () => {
    expect(() => addEntry('{}', B, { userId: 'new\nline' })).toThrow(
      'the entry field "userId" must not hold control characters, line breaks or the like',
    );
    expect(() => addEntry('{}', B, { userId: 'ada', name: 'A\u202Eda' })).toThrow(
      'field "name" must not hold',
    );
    expect(() => addEntry('{}', B, { userId: 'a\uD800' })).toThrow('field "userId" must not hold');
    expect(() => changeEntry(WITH_ONE, digestToken('tok_a'), { name: 'A\u0000' })).toThrow(
      'field "name" must not hold',
    );
  });

  test('stays in a file that has it already, whose user may still get another token', () => {
    expect(parseTokens(WITH_ONE)).toMatchObject([{ user: { userId: 'new\nline' } }]);
    expect(addEntry(WITH_ONE, B, { userId: 'new\nline', name: 'N' })).toContain(B);
  });
});

describe('removing', () => {
  test.each([
    ['the first entry', [A], FILE.replace(/"sha256:a.*\n\n {2}/, '')],
    [
      'an entry in the middle',
      [digestToken('tok_plain')],
      FILE.replace(/,\n\n {2}"tok_plain"[^]*?\n {2}\}/, ''),
    ],
    ['the last entry', [B], FILE.replace(/,\n.*"cyd"\}/, '')],
    ['the first two', [A, digestToken('tok_plain')], `{\n  "sha256:${B}": {"userId":"cyd"}\n}\n`],
    ['all', [A, B, digestToken('tok_plain')], '{}\n'],
    ['none', [C], FILE],
  ])('%s leaves the others unchanged', (_, digests, after) => {
    expect(removeEntries(FILE, new Set(digests))).toBe(after);
  });
});

describe('changing an entry', () => {
  const change = { expiresAt: '2030-01-01T00:00:00Z', metadata: { replacedBy: '12345678' } };

  test('adds missing fields in the form of the entry', () => {
    const text = changeEntry(FILE, B, change);

    expect(text).toBe(
      FILE.replace(
        '{"userId":"cyd"}',
        '{"userId":"cyd","expiresAt": "2030-01-01T00:00:00Z","metadata": { "replacedBy": "12345678" }}',
      ),
    );
  });

  test('replaces existing fields, and keeps the rest of the metadata', () => {
    const once = changeEntry(FILE, digestToken('tok_plain'), change);
    const twice = changeEntry(once, digestToken('tok_plain'), {
      ...change,
      expiresAt: '2031-01-01T00:00:00Z',
    });

    expect(twice).toBe(once.replace('2030', '2031'));
    expect(readTokenText(twice).entries[1]?.user.metadata).toEqual({ free: [1, 2], replacedBy: '12345678' });
  });
});

test('fields are removed, replaced in place, and kept unless the change names them', () => {
  const since = '2026-01-01T00:00:00.5Z';
  const file = `{"sha256:${A}": { "userId": "ada", "expiresAt": "2030-01-01", "signInsSince": "${since}", "disabled": true }}`;

  const text = changeEntry(file, A, { expiresAt: undefined, disabled: undefined, scopes: ['x', 'y'] });

  expect(text).toBe(`{"sha256:${A}": { "userId": "ada", "signInsSince": "${since}", "scopes": ["x", "y"] }}`);
  expect(parseTokens(text)[0]?.signInsSinceMs).toBe(Date.parse(since));
});

test('a change that the parser would refuse is refused with the field', () => {
  expect(() => changeEntry(FILE, A, { name: '' })).toThrow('the entry field "name" must not be empty');
});

test('one edit removes, changes and adds entries without parsing the others again', () => {
  const file = readTokenText(FILE);
  // The other entry is no longer JSON: parsing it again would fail.
  const [, plain] = file.located;
  const hole = '#'.repeat((plain?.end ?? 0) - (plain?.start ?? 0));
  const text = file.text.slice(0, plain?.start) + hole + file.text.slice(plain?.end);

  const edited = editTokens(
    { ...file, text },
    {
      remove: new Set([B]),
      change: new Map([[A, { disabled: true }]]),
      add: [
        { digest: C, fields: { userId: 'eve' } },
        { digest: 'd'.repeat(64), fields: { userId: 'fay' } },
      ],
    },
  );

  expect(edited).toBe(
    `{\n  "sha256:${A}": { "userId": "ada", "scopes": ["greet"], "disabled": true },\n\n  ${hole},\n  "sha256:${C}": { "userId": "eve" },\n  "sha256:${'d'.repeat(64)}": { "userId": "fay" }\n}\n`,
  );
});

test('reading marks entries whose key is the token itself', () => {
  expect(readTokenText(FILE).entries.map(({ isPlain }) => isPlain)).toEqual([undefined, true, undefined]);
});

test('toOneLine keeps all entries, with digests instead of tokens', () => {
  const line = toOneLine(FILE);

  expect(line).toBe(
    `{"sha256:${A}":{"userId":"ada","scopes":["greet"]},"sha256:${digestToken('tok_plain')}":{"userId":"bob","metadata":{"free":[1,2]}},"sha256:${B}":{"userId":"cyd"}}`,
  );
  expect(parseTokens(line)).toEqual(withoutForm(parseTokens(FILE)));
});

test.each([
  ['add', (text: string) => addEntry(text, C, { userId: 'eve' })],
  ['remove', (text: string) => removeEntries(text, new Set([A]))],
  ['change', (text: string) => changeEntry(text, A, { expiresAt: '2030-01-01T00:00:00Z', metadata: {} })],
  ['export', toOneLine],
])('to %s in a malformed file is refused with the place of the fault', (_, edit) => {
  expect(() => edit('{\n  "tok_a": { "userId": "ada", }\n}')).toThrow('not valid JSON at line 2');
  expect(() => edit('{ "tok_a": {} }')).toThrow('entry 1 needs "userId"');
});

/** Whether a request can present a token. */
function isSendable(key: string): boolean {
  return readCredential({ authorization: `Bearer ${key}` }).kind === 'token';
}

/** The entries of any valid file, with keys in any order and form. */
const ENTRIES = fc.uniqueArray(
  fc.tuple(
    fc.oneof(
      fc.stringMatching(/^[\x21-\x7e]{1,30}$/).filter((key) => !key.startsWith('sha256:') && isSendable(key)),
      fc.stringMatching(/^[0-9a-f]{64}$/).map((digest) => `sha256:${digest}`),
    ),
    fc.record(
      {
        userId: fc.string({ minLength: 1, maxLength: 20 }).filter((id) => id.trim() !== ''),
        name: fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }),
        scopes: fc.array(fc.stringMatching(/^[a-z:]{1,8}$/), { maxLength: 3 }),
        metadata: fc.dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 }),
      },
      { requiredKeys: ['userId'] },
    ),
  ),
  { selector: ([key]) => (key.startsWith('sha256:') ? key.slice(7) : digestToken(key)), maxLength: 6 },
);

/** The text of these entries, with some indentation. */
const TEXTS = fc.tuple(ENTRIES, fc.constantFrom(undefined, 1, 2, '\t')).map(([entries, indent]) => {
  // Not through an object, which would move keys that look like numbers to the front and lose __proto__.
  const properties = entries.map(
    ([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value, null, indent)}`,
  );
  return indent === undefined ? `{${properties.join(',')}}` : `{\n${properties.join(',\n')}\n}\n`;
});

test('adding and removing an entry restores any file', () => {
  fc.assert(
    fc.property(TEXTS, fc.stringMatching(/^[0-9a-f]{64}$/), (text, digest) => {
      const before = parseTokens(text);
      const added = addEntry(text, digest, { userId: 'eve', metadata: { created: 'x' } });
      const removed = removeEntries(added, new Set([digest]));

      expect(parseTokens(added).slice(0, -1)).toEqual(before);
      expect(parseTokens(added).at(-1)).toMatchObject({ digest, user: { userId: 'eve' } });
      // A file without entries gets its line breaks from the first entry.
      expect(before.length > 0 ? removed : parseTokens(removed)).toEqual(before.length > 0 ? text : []);
    }),
    { numRuns: 200 },
  );
});

test('an edit of one entry leaves the others unchanged in any file, and toOneLine keeps the meaning', () => {
  fc.assert(
    fc.property(TEXTS, fc.nat(), (text, number) => {
      const before = parseTokens(text);
      const index = number % Math.max(1, before.length);
      const digest = before[index]?.digest ?? A;
      const others = before.filter((entry) => entry.digest !== digest);
      const change = { expiresAt: '2030-01-01T00:00:00Z', metadata: { replacedBy: '12345678' } };

      const changed = parseTokens(changeEntry(text, digest, change));
      const removed = parseTokens(removeEntries(text, new Set([digest])));

      expect(changed.map((entry) => entry.digest)).toEqual(before.map((entry) => entry.digest));
      expect(changed.filter((entry) => entry.digest !== digest)).toEqual(others);
      expect(changed[index]?.expiresAtMs).toBe(before.length > 0 ? Date.parse(change.expiresAt) : undefined);
      expect(removed).toEqual(others);
      expect(parseTokens(toOneLine(text))).toEqual(withoutForm(before));
    }),
    { numRuns: 200 },
  );
});

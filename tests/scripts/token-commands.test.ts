/** The token commands on real files, in one process with a clock of its own; and what no sequence of them may do. */
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { CommandError } from '../../scripts/token/command-error.ts';
import type { CommandContext } from '../../scripts/token/context.ts';
import { COMMANDS } from '../../scripts/token/commands.ts';
import { readKnownScopes } from '../../scripts/token/known-scopes.ts';
import type { CommandName } from '../../scripts/token/words.mjs';
import { openTokenStore } from '../../src/auth/tokens/token-store.ts';
import { readTokenText } from '../../src/auth/tokens/token-edit.ts';
import { digestToken } from '../../src/auth/digest.ts';
import { createTokenSet } from '../../src/auth/tokens/token-set.ts';
import { definePrompt } from '../../src/mcp/prompt.ts';
import { defineResource } from '../../src/mcp/resource.ts';
import { fixtureTools } from '../../lab/fixture/tools.mjs';
import { amountOf } from '../support/reduced.mjs';

const NOW = Date.parse('2026-06-01T12:00:00Z');
const DAY_MS = 86_400_000;

const folders: string[] = [];
afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
});

/** Only root can give up its rights and take them back. */
const asRoot = process.getuid?.() === 0 ? test : test.skip;

/** A token file with this content, and a hand on it: `run` gives a command's answer as JSON. */
async function createFile(content: unknown) {
  const folder = await mkdtemp(path.join(tmpdir(), 'token-test-'));
  folders.push(folder);
  const file = path.join(folder, 'tokens.json');
  if (content !== undefined) await writeFile(file, JSON.stringify(content, null, 2));
  const clock = { nowMs: NOW };
  const warned: string[] = [];
  const read = async (): Promise<string> => readFile(file, 'utf8');
  return {
    clock,
    /** What went to standard error. */
    warned,
    read,
    folder,
    entries: async () => readTokenText(await read()).entries,
    /** Whether the server would take this token at this time. */
    isLetIn: async (token: string) =>
      createTokenSet(readTokenText(await read()).entries, () => clock.nowMs).verify(token).ok,
    async run(command: CommandName, values: Record<string, string> = {}, argument?: string) {
      const printed: string[] = [];
      const context: CommandContext = {
        line: { command, argument, json: true, values },
        store: openTokenStore(file),
        isStoreRead: true,
        address: { origin: 'https://my-app.example', isNamed: true },
        knownScopes: async () => new Set(['greet', 'echo']),
        now: () => clock.nowMs,
        print: (text) => printed.push(text),
        warn: (text) => warned.push(text),
      };
      await COMMANDS[command].run(context);
      return JSON.parse(printed.join('')) as Record<string, string>;
    },
  };
}

describe('create', () => {
  test('writes the digest with user, name, scopes, expiry, time and note', async () => {
    const file = await createFile({});

    const answer = await file.run('create', {
      user: ' ada ',
      name: 'Ada Lovelace',
      scopes: 'greet, echo,greet',
      expires: '90d',
      limit: '60',
      note: 'laptop',
    });

    const facts = { userId: 'ada', name: 'Ada Lovelace', scopes: ['greet', 'echo'] };
    const expiresAt = '2026-08-30T12:00:00Z';
    const metadata = { created: '2026-06-01T12:00:00Z', note: 'laptop' };
    expect(answer).toMatchObject({ ...facts, ...metadata, expiresAt });
    expect(JSON.parse(await file.read())).toEqual({
      [`sha256:${digestToken(answer['token'] ?? '')}`]: { ...facts, expiresAt, limit: 60, metadata },
    });
    expect(answer['token']).toMatch(/^mcp_[\w-]{43}$/);
  });

  test('ignores and removes the temporary file of a killed command', async () => {
    const file = await createFile({});
    await writeFile(path.join(file.folder, 'tokens.json.tmp'), 'half');

    await file.run('create', { user: 'ada' });

    expect(await file.entries()).toHaveLength(1);
    expect(await readdir(file.folder)).toEqual(['tokens.json']);
  });

  test.each([
    ['2027-06-30', '2027-06-30T00:00:00Z'],
    ['2027-06-30T10:00:00+02:00', '2027-06-30T08:00:00Z'],
    ['12h', '2026-06-02T00:00:00Z'],
    ['2w', '2026-06-15T12:00:00Z'],
  ])('takes --expires %s', async (expires, expected) => {
    const file = await createFile({});

    const answer = await file.run('create', { user: 'ada', expires });

    expect(answer['expiresAt']).toBe(expected);
  });

  test.each([
    ['without a user', {}, 'create needs --user'],
    ['with an empty user', { user: ' ' }, '--user must not be empty'],
    ['with a scope that holds quotes', { user: 'ada', scopes: 'a"b' }, '--scopes must hold scopes without'],
    ['with an end in the past', { user: 'ada', expires: '2026-06-01' }, '--expires is in the past'],
    ['with an end that is no date', { user: 'ada', expires: '2026-02-30' }, '--expires must be'],
    ['with an end beyond all dates', { user: 'ada', expires: '9999999w' }, '--expires must be'],
    [
      'with a limit that is no number',
      { user: 'ada', limit: '-1' },
      '--limit must be a number of tool calls',
    ],
    [
      'with a limit that is too large',
      { user: 'ada', limit: '1000001' },
      '--limit must be from 0 to 1000000',
    ],
  ])('%s is refused and writes nothing', async (_, values, message) => {
    const file = await createFile(undefined);

    await expect(file.run('create', values)).rejects.toMatchObject({
      message: expect.stringContaining(message) as unknown,
      exitCode: 2,
    });
    await expect(file.read()).rejects.toThrow('ENOENT');
  });
});

describe('rotate', () => {
  const OLD = {
    userId: 'ada',
    name: 'Ada',
    scopes: ['greet'],
    limit: 60,
    metadata: { created: '2026-05-22T12:00:00Z', note: 'laptop', team: ['x'] },
  };

  test('gives the successor the fields of the old token, which stays valid for the overlap', async () => {
    const file = await createFile({
      tok_old: { ...OLD, expiresAt: '2026-08-20T12:00:00Z' },
      tok_b: { userId: 'b' },
    });

    const answer = await file.run('rotate', {}, digestToken('tok_old').slice(0, 8));

    const content = JSON.parse(await file.read()) as Record<string, unknown>;
    expect(Object.values(content)).toEqual([
      {
        ...OLD,
        expiresAt: '2026-06-02T12:00:00Z',
        metadata: { ...OLD.metadata, replacedBy: answer['id'] },
      },
      { userId: 'b' },
      {
        ...OLD,
        // The old one was made for 90 days.
        expiresAt: '2026-08-30T12:00:00Z',
        metadata: { ...OLD.metadata, created: '2026-06-01T12:00:00Z' },
      },
    ]);
    expect(Object.keys(content)[2]).toBe(`sha256:${digestToken(answer['token'] ?? '')}`);
  });

  test('never extends the validity of the old token', async () => {
    const file = await createFile({ tok_old: { userId: 'ada', expiresAt: '2026-06-01T13:00:00Z' } });

    await file.run('rotate', { overlap: '7d', expires: '30d' }, digestToken('tok_old'));

    expect((await file.entries())[0]?.expiresAtMs).toBe(Date.parse('2026-06-01T13:00:00Z'));
  });

  test('with an overlap of 0 expires the old token at once', async () => {
    const file = await createFile({ tok_old: { userId: 'ada' } });

    const { token = '' } = await file.run('rotate', { overlap: '0' }, digestToken('tok_old'));

    expect(await file.isLetIn('tok_old')).toBe(false);
    expect(await file.isLetIn(token)).toBe(true);
  });

  test.each([
    ['that is disabled', { userId: 'ada', disabled: true }, {}, 'is disabled'],
    [
      'that was rotated before',
      { userId: 'ada', metadata: { replacedBy: '12345678' } },
      {},
      'already been replaced by 12345678',
    ],
    [
      'that has expired, nobody knows after how long',
      { userId: 'ada', expiresAt: '2026-05-01' },
      {},
      'with --expires',
    ],
    ['with a wrong overlap', { userId: 'ada' }, { overlap: 'soon' }, '--overlap must be'],
  ])('of a token %s is refused and changes nothing', async (_, entry, values, message) => {
    const file = await createFile({ tok_old: entry });
    const before = await file.read();

    await expect(file.run('rotate', values, digestToken('tok_old'))).rejects.toThrow(message);

    expect(await file.read()).toBe(before);
  });
});

describe('an id', () => {
  const twins = ['1234567890', '12345678f'].map((start) => `sha256:${start.padEnd(64, '0')}`);

  test('that two tokens share is refused with longer ids, of which each finds one token', async () => {
    const users = twins.map((key, index) => [key, { userId: ['ada', 'bob'][index] }]);
    const file = await createFile(Object.fromEntries(users));

    await expect(file.run('revoke', {}, '12345678')).rejects.toMatchObject({
      message:
        'The id 12345678 is ambiguous. Give more digits:\n  1234567890000000  ada\n  12345678f0000000  bob',
      exitCode: 3,
    });
    const answer = await file.run('revoke', {}, '12345678F');

    expect(answer).toMatchObject({ revoked: [{ userId: 'bob' }], left: 1 });
  });

  test.each([
    ['of no token', 'deadbeef', 'There is no token with the id deadbeef; list shows all tokens', 3],
    ['that is too short', '1234567', 'That is not a token id', 2],
    ['that is a token', 'tok_plain_secret', 'A token is never taken from the command line', 2],
  ])('%s is refused without repeating a token', async (_, id, message, exitCode) => {
    const file = await createFile({ tok_plain_secret: { userId: 'ada' } });

    const failure = await file.run('revoke', {}, id).catch((error: unknown) => error);

    expect(failure).toBeInstanceOf(CommandError);
    expect(failure).toMatchObject({ message: expect.stringContaining(message) as unknown, exitCode });
    expect(String(failure)).not.toContain('tok_plain_secret');
  });
});

test('list shows every entry with its state and without any token', async () => {
  const file = await createFile({
    tok_plain_secret: { userId: 'ada', metadata: { note: 5, created: '2026-01-01' } },
    [`sha256:${'b'.repeat(64)}`]: { userId: 'bob', expiresAt: '2026-05-01', scopes: [] },
    [`sha256:${'c'.repeat(64)}`]: { userId: 'cyd', notBefore: '2026-07-01' },
    [`sha256:${'d'.repeat(64)}`]: { userId: 'dan', disabled: true, expiresAt: '2026-05-01' },
  });

  const answer = await file.run('list');

  expect(answer).toMatchObject([
    {
      id: digestToken('tok_plain_secret').slice(0, 8),
      state: 'valid',
      scopes: null,
      created: '2026-01-01',
      note: null,
    },
    { id: 'bbbbbbbb', state: 'expired', scopes: [], expiresAt: '2026-05-01T00:00:00Z' },
    { id: 'cccccccc', state: 'not yet valid', notBefore: '2026-07-01T00:00:00Z' },
    { id: 'dddddddd', state: 'disabled' },
  ]);
  expect(JSON.stringify(answer)).not.toContain('secret');
});

test('revoke --user removes all tokens of that user and nobody else', async () => {
  const file = await createFile({
    tok_1: { userId: 'ada' },
    tok_2: { userId: 'adam' },
    tok_3: { userId: 'ada' },
  });

  const answer = await file.run('revoke', { user: 'ada' });

  expect(answer).toMatchObject({ revoked: [{ userId: 'ada' }, { userId: 'ada' }], left: 1 });
  expect(Object.keys(JSON.parse(await file.read()) as object)).toEqual(['tok_2']);
  await expect(file.run('revoke', { user: 'ada' })).rejects.toMatchObject({ exitCode: 3 });
});

describe('a command that changes entries', () => {
  const id = digestToken('tok_a').slice(0, 8);

  test.each([
    ['disable', {}, { disabled: true }],
    ['sign-out', {}, { signInsSince: '2026-06-01T12:00:00.000Z' }],
    ['edit', { name: 'Ada L.', scopes: 'greet echo' }, { name: 'Ada L.', scopes: ['greet', 'echo'] }],
    ['edit', { scopes: 'none', note: 'new' }, { scopes: [], metadata: { note: 'new' } }],
    ['edit', { expires: '1d' }, { expiresAt: '2026-06-02T12:00:00Z' }],
    ['edit', { limit: '0' }, { limit: 0 }],
  ] as const)('%s %j writes its fields and nothing else', async (command, values, change) => {
    const file = await createFile({ tok_a: { userId: 'ada' }, tok_b: { userId: 'bob' } });

    const answer = await file.run(command, values, id);

    expect(JSON.parse(await file.read())).toEqual({
      tok_a: { userId: 'ada', ...change },
      tok_b: { userId: 'bob' },
    });
    expect(Object.values(answer)[0]).toMatchObject([{ id, userId: 'ada', change }]);
  });

  test.each([
    ['enable', {}],
    ['edit', { scopes: 'all', expires: 'never', limit: 'default' }],
  ] as const)('%s %j removes fields', async (command, values) => {
    const gone =
      command === 'enable' ? { disabled: true } : { scopes: ['greet'], expiresAt: '2030-01-01', limit: 60 };
    const file = await createFile({ tok_a: { userId: 'ada', ...gone } });

    await file.run(command, values, id);

    expect(JSON.parse(await file.read())).toEqual({ tok_a: { userId: 'ada' } });
  });

  test('with --user changes all tokens of the user', async () => {
    const file = await createFile({
      tok_a: { userId: 'ada' },
      tok_b: { userId: 'bob' },
      tok_c: { userId: 'ada' },
    });

    await file.run('disable', { user: 'ada' });

    const entries = await file.entries();
    expect(entries.map(({ disabled }) => disabled)).toEqual([true, false, true]);
  });

  test.each([
    ['disable', {}, undefined, 'disable needs the id of a token'],
    ['sign-out', { user: 'ada' }, id, 'needs either the id of a token or --user'],
    ['edit', {}, id, 'edit needs what to change'],
    ['edit', { name: '' }, id, '--name must not be empty'],
    ['edit', { scopes: 'a"b' }, id, '--scopes must hold scopes without'],
    ['edit', { name: 'x' }, undefined, 'edit needs the id of a token'],
    ['prune', { older: 'old' }, undefined, '--older must be a length of time'],
  ] as const)(
    '%s %j is refused as meaningless and changes nothing',
    async (command, values, which, message) => {
      const file = await createFile({ tok_a: { userId: 'ada' } });
      const before = await file.read();

      await expect(file.run(command, values, which)).rejects.toMatchObject({
        message: expect.stringContaining(message) as unknown,
        exitCode: 2,
      });
      expect(await file.read()).toBe(before);
    },
  );

  test('prune removes tokens that expired long enough ago', async () => {
    const file = await createFile({
      tok_old: { userId: 'a', expiresAt: '2026-04-01' },
      tok_recent: { userId: 'b', expiresAt: '2026-05-31' },
      tok_valid: { userId: 'c', expiresAt: '2026-06-02' },
      tok_endless: { userId: 'd' },
    });

    const first = await file.run('prune', { older: '30d' });
    const second = await file.run('prune');

    expect([first, second]).toMatchObject([
      { pruned: [{ userId: 'a' }], left: 3 },
      { pruned: [{ userId: 'b' }], left: 2 },
    ]);
    expect(Object.keys(JSON.parse(await file.read()) as object)).toEqual(['tok_valid', 'tok_endless']);
  });
});

test('a change warns of weak tokens in the file, until they are disabled or removed', async () => {
  const file = await createFile({
    tok_short: { userId: 'eve' },
    tok_ada_long_enough_0123: { userId: 'ada' },
  });

  await file.run('disable', {}, digestToken('tok_ada_long_enough_0123'));
  const warned = file.warned.splice(0);
  await file.run('disable', {}, digestToken('tok_short'));

  const id = digestToken('tok_short').slice(0, 8);
  expect(warned.join('\n')).toMatch(
    new RegExp(`not apply the change until you remove them with "npm run token -- revoke ID": ${id}\\.$`),
  );
  expect(file.warned.join('')).not.toContain('apply the change');
});

describe('scopes that nothing requires', () => {
  test.each([
    ['create', { user: 'ada', scopes: 'greet,ecko' }, undefined],
    ['edit', { scopes: 'greet,ecko' }, digestToken('tok_a')],
    ['rotate', {}, digestToken('tok_b')],
  ] as const)('are warned of by %s', async (command, values, argument) => {
    const file = await createFile({
      tok_a: { userId: 'ada' },
      tok_b: { userId: 'bob', scopes: ['ecko'] },
    });

    await file.run(command, values, argument);

    expect(file.warned).toContain(
      'Nothing on this server needs the scope ecko. The scopes that it knows are: echo, greet.',
    );
  });
});

test('the scopes of prompts and resources are known, as those of tools', async () => {
  const words = { title: 'T', description: 'D' };
  const prompt = definePrompt({ ...words, name: 'review', scope: 'learn', run: () => 'Go on.' });
  const resource = defineResource({ ...words, name: 'intro', uri: 'a://b', scope: 'read', read: () => '' });
  const features = [{ name: 'learning', prompts: [prompt], resources: [resource] }];

  const known = await readKnownScopes(async () => ({ definition: { tools: fixtureTools, features } }));

  expect(known).toEqual(new Set(['greet', 'echo', 'learn', 'read']));
});

test('the scope admin causes no warning', async () => {
  const file = await createFile({});

  await file.run('create', { user: 'me', scopes: 'admin' });

  expect(file.warned.join('\n')).not.toContain('asks for');
});

test('a missing table is reported with its whole path', async () => {
  const file = await createFile({});
  const table = path.join(file.folder, 'nope.csv');

  await expect(file.run('import', {}, table)).rejects.toThrow(
    `The table cannot be read: there is no such file at ${table}.`,
  );
});

/** Writes a table beside the token file and imports it. */
async function importTable(content: unknown, table: string | Buffer) {
  const file = await createFile(content);
  const name = path.join(file.folder, 'class.csv');
  await writeFile(name, table);
  return { file, rows: (await file.run('import', {}, name)) as unknown as Record<string, string>[] };
}

describe('import', () => {
  test('creates a token and a link for each user without one, and none the second time', async () => {
    const table =
      '\u{feff}user,name,scopes,expires\r\nada,"Lovelace, ""Ada""",greet echo,90d\r\n\r\nbob,,,\r\ncyd,Cyd,none,2027-01-01\r\n';

    const { file, rows } = await importTable({ tok_bob: { userId: 'bob', disabled: true } }, table);
    const again = await file.run('import', {}, path.join(file.folder, 'class.csv'));

    expect(rows.map(({ user }) => user)).toEqual(['ada', 'cyd']);
    for (const { token = '', link } of rows) {
      expect(link).toBe(`https://my-app.example/#token=${token}`);
      expect(await file.isLetIn(token)).toBe(true);
    }
    const entries = await file.entries();
    expect(
      entries.map(({ user, expiresAtMs }) => [user.userId, user.name, user.scopes, expiresAtMs]),
    ).toEqual([
      ['bob', 'bob', undefined, undefined],
      ['ada', 'Lovelace, "Ada"', ['greet', 'echo'], NOW + 90 * DAY_MS],
      ['cyd', 'Cyd', [], Date.UTC(2027, 0, 1)],
    ]);
    expect(again).toEqual([]);
  });

  test('accepts semicolons, as many European spreadsheets write them', async () => {
    const { rows } = await importTable(undefined, 'User;Name\nada;Ada\nbob;"B; ob"');

    expect(rows.map(({ user }) => user)).toEqual(['ada', 'bob']);
  });

  test.each([
    ['without the column user', 'name\nAda', 'must name its columns'],
    ['with a column that is misspelled', 'user,scope\nada,greet', 'Column 2 is not one of these'],
    ['that is empty', '', 'must name its columns'],
    ['with a row without a user', 'user,name\nada,\n,Bob', 'Row 3 of the table: user must not be empty'],
    ['with a user twice', 'user\nada\nbob\nada', 'Row 4 of the table: it names the same user as row 2'],
    ['with empty rows', 'user\n\nada\n,\nada', 'Row 5 of the table: it names the same user as row 3'],
    ['with a wrong date', 'user,expires\nada,soon', 'Row 2 of the table: --expires must be'],
    ['with a row that is too long', 'user\nada,Ada', 'Row 2 of the table: it has more cells'],
    ['with an open quote', 'user\n"ada', 'a quote that is not closed'],
    ['in another encoding', Buffer.from('user\nZo\u00eb', 'latin1'), 'it is not UTF-8 text'],
  ])('of a table %s is refused as a whole', async (_, table, message) => {
    const content = { tok_a: { userId: 'eve' } };
    const file = await createFile(content);
    const name = path.join(file.folder, 'class.csv');
    await writeFile(name, table);

    await expect(file.run('import', {}, name)).rejects.toMatchObject({
      message: expect.stringContaining(message) as unknown,
    });
    expect(JSON.parse(await file.read())).toEqual(content);
  });
});

asRoot('who may not keep the owner of the file changes nothing', async () => {
  const file = await createFile({ tok_a: { userId: 'ada' } });
  const before = await file.read();
  await chmod(file.folder, 0o777);
  await chmod(path.join(file.folder, 'tokens.json'), 0o644);

  process.seteuid?.(1234);
  try {
    await expect(file.run('revoke', { user: 'ada' })).rejects.toThrow('belongs to user 0 and group 0');
  } finally {
    process.seteuid?.(0);
  }

  expect(await file.read()).toBe(before);
  expect((await readdir(file.folder)).toSorted()).toEqual(['tokens.json']);
});

/** What a test expects of a token: whose it is, and from when on it is refused. */
interface ExpectedToken {
  readonly userId: string;
  readonly endMs: number;
  readonly isRotated: boolean;
}

const STEPS = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('create' as const),
      user: fc.nat(2),
      days: fc.option(fc.integer({ min: 1, max: 9 })),
    }),
    fc.record({ kind: fc.constant('rotate' as const), pick: fc.nat(), overlapDays: fc.nat(3) }),
    fc.record({ kind: fc.constant('revoke' as const), pick: fc.nat() }),
    fc.record({ kind: fc.constant('revoke user' as const), user: fc.nat(2) }),
    fc.record({ kind: fc.constant('wait' as const), days: fc.integer({ min: 1, max: 5 }) }),
  ),
  { minLength: 1, maxLength: 12 },
);

test('no sequence of commands loses an entry or makes a revoked token valid', async () => {
  await fc.assert(
    fc.asyncProperty(STEPS, async (steps) => {
      const file = await createFile({
        tok_first: { userId: 'user0' },
        tok_second: { userId: 'user1', name: 'Second' },
      });
      const live = new Map<string, ExpectedToken>([
        ['tok_first', { userId: 'user0', endMs: Infinity, isRotated: false }],
        ['tok_second', { userId: 'user1', endMs: Infinity, isRotated: false }],
      ]);
      const everSeen = new Set(live.keys());

      for (const step of steps) {
        const { nowMs } = file.clock;
        const [token, known] = 'pick' in step ? ([...live][step.pick % Math.max(1, live.size)] ?? []) : [];
        const id = token === undefined ? 'deadbeef' : digestToken(token);
        if (step.kind === 'wait') file.clock.nowMs += step.days * DAY_MS;
        if (step.kind === 'create') {
          const user = `user${step.user}`;
          const expires = step.days === null ? {} : { expires: `${step.days}d` };
          const { token: made = '' } = await file.run('create', { user, ...expires });
          live.set(made, { userId: user, endMs: nowMs + (step.days ?? Infinity) * DAY_MS, isRotated: false });
        }
        if (step.kind === 'revoke') {
          await file.run('revoke', {}, id).catch(ignoreRefusal);
          if (token !== undefined) live.delete(token);
        }
        if (step.kind === 'revoke user') {
          await file.run('revoke', { user: `user${step.user}` }).catch(ignoreRefusal);
          for (const [name, { userId }] of live) if (userId === `user${step.user}`) live.delete(name);
        }
        if (step.kind === 'rotate') {
          const values = { overlap: `${step.overlapDays}d`, expires: '9d' };
          const answer = await file.run('rotate', values, id).catch(ignoreRefusal);
          if ((answer === undefined) !== (known?.isRotated ?? true))
            throw new Error('rotate refused wrongly');
          if (token !== undefined && known !== undefined && answer !== undefined) {
            const endMs = Math.min(known.endMs, nowMs + step.overlapDays * DAY_MS);
            live.set(token, { ...known, endMs, isRotated: true });
            live.set(answer['token'] ?? '', { ...known, endMs: nowMs + 9 * DAY_MS, isRotated: false });
          }
        }

        for (const name of live.keys()) everSeen.add(name);
        const entries = await file.entries();
        expect(entries.map(({ digest, user }) => `${digest} ${user.userId}`)).toEqual(
          [...live].map(([name, { userId }]) => `${digestToken(name)} ${userId}`),
        );
        for (const name of everSeen)
          expect(await file.isLetIn(name)).toBe(file.clock.nowMs < (live.get(name)?.endMs ?? -Infinity));
      }
    }),
    { numRuns: amountOf('tokenCommands') },
  );
});

/** A command that refuses is one of the possible steps; anything else is a failure. */
function ignoreRefusal(error: unknown): undefined {
  if (!(error instanceof CommandError)) throw error;
  return undefined;
}

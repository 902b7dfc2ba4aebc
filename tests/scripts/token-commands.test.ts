/** The token commands on real files, in one process with a clock of its own; and what no sequence of them may do. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { create } from '../../scripts/token/create.ts';
import { CommandError } from '../../scripts/token/command-error.ts';
import type { CommandContext } from '../../scripts/token/context.ts';
import type { CommandName } from '../../scripts/token/help.ts';
import { list } from '../../scripts/token/list.ts';
import { revoke } from '../../scripts/token/revoke.ts';
import { rotate } from '../../scripts/token/rotate.ts';
import { openTokenStore } from '../../scripts/token/token-store.ts';
import { readEntries } from '../../scripts/token/token-edit.ts';
import { digestToken } from '../../src/auth/digest.ts';
import { createTokenSet } from '../../src/auth/tokens/token-set.ts';

const NOW = Date.parse('2026-06-01T12:00:00Z');
const DAY_MS = 86_400_000;
const COMMANDS = { create, list, revoke, rotate } as const;

const folders: string[] = [];
afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
});

/** A token file with this content, and a hand on it: `run` gives a command's answer as JSON. */
async function createFile(content: unknown) {
  const folder = await mkdtemp(path.join(tmpdir(), 'token-test-'));
  folders.push(folder);
  const file = path.join(folder, 'tokens.json');
  if (content !== undefined) await writeFile(file, JSON.stringify(content, null, 2));
  const clock = { nowMs: NOW };
  const read = async (): Promise<string> => readFile(file, 'utf8');
  return {
    clock,
    read,
    entries: async () => readEntries(await read()),
    /** Whether the server would take this token at this time. */
    isLetIn: async (token: string) =>
      createTokenSet(readEntries(await read()), () => clock.nowMs).verify(token).ok,
    async run(
      command: keyof typeof COMMANDS & CommandName,
      values: Record<string, string> = {},
      id?: string,
    ) {
      const printed: string[] = [];
      const context: CommandContext = {
        line: { command, id, json: true, values },
        store: openTokenStore(file),
        origin: 'http://localhost:8000',
        now: () => clock.nowMs,
        print: (text) => printed.push(text),
        warn: () => undefined,
      };
      await COMMANDS[command](context);
      return JSON.parse(printed.join('')) as Record<string, string>;
    },
  };
}

describe('create', () => {
  test('writes the digest with user, name, scopes, end, time and note', async () => {
    const file = await createFile({});

    const answer = await file.run('create', {
      user: ' ada ',
      name: 'Ada Lovelace',
      scopes: 'greet, echo,greet',
      expires: '90d',
      note: 'laptop',
    });

    const facts = { userId: 'ada', name: 'Ada Lovelace', scopes: ['greet', 'echo'] };
    const expiresAt = '2026-08-30T12:00:00Z';
    const metadata = { created: '2026-06-01T12:00:00Z', note: 'laptop' };
    expect(answer).toMatchObject({ ...facts, ...metadata, expiresAt });
    expect(JSON.parse(await file.read())).toEqual({
      [`sha256:${digestToken(answer['token'] ?? '')}`]: { ...facts, expiresAt, metadata },
    });
    expect(answer['token']).toMatch(/^mcp_[\w-]{43}$/);
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
    ['with an end in the past', { user: 'ada', expires: '2026-06-01' }, '--expires lies in the past'],
    ['with an end that is no date', { user: 'ada', expires: '2026-02-30' }, '--expires must be'],
    ['with an end beyond all dates', { user: 'ada', expires: '9999999w' }, '--expires must be'],
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
    metadata: { created: '2026-05-22T12:00:00Z', note: 'laptop', team: ['x'] },
  };

  test('gives the successor what the old token had, and the old one the overlap', async () => {
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

  test('never makes the old token live longer', async () => {
    const file = await createFile({ tok_old: { userId: 'ada', expiresAt: '2026-06-01T13:00:00Z' } });

    await file.run('rotate', { overlap: '7d', expires: '30d' }, digestToken('tok_old'));

    expect((await file.entries())[0]?.expiresAtMs).toBe(Date.parse('2026-06-01T13:00:00Z'));
  });

  test('with an overlap of 0 ends the old token at once', async () => {
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
      'by 12345678 already',
    ],
    [
      'that has expired, nobody knows after how long',
      { userId: 'ada', expiresAt: '2026-05-01' },
      {},
      'say with --expires',
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

  test('that two tokens share is refused with what tells them apart, and longer it finds one', async () => {
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
    ['of no token', 'deadbeef', 'There is no token with the id deadbeef.', 3],
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

test('no sequence of commands loses an entry or lets a revoked token in', async () => {
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
    { numRuns: 40 },
  );
});

/** A command that refuses is one of the possible steps; anything else is a failure. */
function ignoreRefusal(error: unknown): undefined {
  if (!(error instanceof CommandError)) throw error;
  return undefined;
}

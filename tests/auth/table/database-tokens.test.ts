/** Tokens in a database: what a server makes of them, what an edit does on each server, and what happens while the database is away. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type Logger, pino } from 'pino';
import { runTokenCommand } from '../../../scripts/token/run.ts';
import { openDatabaseTokens } from '../../../src/auth/table/database-tokens.ts';
import { editTokenTable, openTokenDatabase, readTokens } from '../../../src/auth/table/token-table.ts';
import { openTokens, type OpenTokens } from '../../../src/auth/tokens/open-tokens.ts';
import { digestToken } from '../../../src/auth/digest.ts';
import type { TokenEditor, TokenEdits } from '../../../src/auth/tokens/token-edit.ts';
import { TokenStoreError } from '../../../src/auth/tokens/token-store-error.ts';
import type { TokenVerifier } from '../../../src/auth/verifier.ts';
import { parseConfig } from '../../../src/config/config.ts';
import type { Database } from '../../../src/storage/database.ts';
import { unreachable } from '../../../src/storage/errors.ts';
import { openDatabase } from '../../../src/storage/open-database.ts';
import { type Row, sql } from '../../../src/storage/statement.ts';
import { openTokensOf } from '../../../src/server/database-tokens.ts';
import { describeStartFailure } from '../../../src/server/start-messages.ts';
import { describeForBoth, type TestDatabases } from '../../support/databases.ts';
import { createMemoryLog } from '../../support/memory-log.ts';
import { listenOnLoopback } from '../../../lab/conformance/loopback.ts';
import { createSandbox, ROOT } from '../../support/process.ts';
import { eventually } from '../../support/raw-http.ts';

const silent = pino({ level: 'silent' });
const ADA = 'tok_ada_0123456789';
const BOB = 'tok_bob_0123456789';

/** Opens the tokens of a database as a server does. */
async function open(
  url: string,
  env: Record<string, string> = {},
  log: Logger = silent,
): Promise<OpenTokens & { editor: TokenEditor }> {
  const { auth, storage, production, provider } = parseConfig({
    TOKENS_STORE: 'database',
    DATABASE_URL: url,
    ...env,
  });
  const tokens = await openTokens({
    source: auth.tokens,
    adminToken: auth.adminToken,
    openDatabase: openTokensOf(storage),
    allowOneRunToken: !production,
    mayBeNone: provider !== undefined,
    weakTokens: auth.weakTokens,
    log,
  });
  return { ...tokens, editor: tokens.verifier as TokenVerifier & TokenEditor };
}

/** Adds a token. */
async function add(editor: TokenEditor, token: string, userId: string): Promise<void> {
  await editor.edit(() => ({
    edits: { add: [{ digest: digestToken(token), fields: { userId } }] },
    result: {},
  }));
}

describeForBoth('tokens in a database', (startDatabases) => {
  const sandbox = createSandbox();
  let databases: TestDatabases;
  beforeAll(async () => {
    databases = await startDatabases(sandbox);
  }, 60_000);
  afterAll(async () => sandbox.close());

  test('are stored as digests and valid, and an edit reaches every server', async () => {
    const url = await databases.create();
    const [one, other] = [await open(url), await open(url)];

    await add(one.editor, ADA, 'ada');
    const atOnce = await one.verifier.verify(ADA);
    await eventually(async () => (await other.verifier.verify(ADA)).ok, { deadlineMs: 5_000 });
    await other.editor.edit(({ entries }) => ({
      edits: { remove: new Set(entries.map(({ digest }) => digest)) },
      result: {},
    }));
    await eventually(async () => !(await one.verifier.verify(ADA)).ok, { deadlineMs: 5_000 });

    expect(atOnce).toMatchObject({ ok: true, grant: { user: { userId: 'ada' } } });
    expect(await one.verifier.verify(ADA)).toMatchObject({ ok: false, reason: 'revoked' });
    expect((await one.editor.read()).text).not.toContain(ADA);
    await Promise.all([one.file?.close(), other.file?.close()]);
  });

  test('from the documentation are not valid on a public server', async () => {
    const url = await databases.create();
    const { log, lines } = createMemoryLog();
    const here = await open(url);
    await add(here.editor, 'tok_test1_abc123', 'eve');

    const deployed = await open(url, { NODE_ENV: 'production' }, log);

    expect(await deployed.verifier.verify('tok_test1_abc123')).toMatchObject({ ok: false });
    expect(lines.filter(({ level }) => level === 'error')).toMatchObject([
      { reason: expect.stringContaining('documentation, which everybody knows') as unknown },
    ]);
    await Promise.all([here.file?.close(), deployed.file?.close()]);
  });

  test('are reloaded on a notification of the database, also after it has been away', async () => {
    const url = await databases.create();
    if (url.startsWith('sqlite:')) return;
    const { storage } = parseConfig({ TOKENS_STORE: 'database', DATABASE_URL: url });
    const pollMs = 3_600_000;
    const deaf = await openDatabaseTokens({
      database: await openTokenDatabase(storage, silent),
      log: silent,
      pollMs,
    });
    const editor = await open(url);
    const lasting = { deadlineMs: 15_000 };

    await add(editor.editor, ADA, 'ada');
    await eventually(async () => (await deaf.verify(ADA)).ok, lasting);
    await databases.takeAway();
    await databases.giveBack();
    await eventually(
      async () =>
        add(editor.editor, BOB, 'bob').then(
          () => true,
          () => false,
        ),
      lasting,
    );
    await eventually(async () => (await deaf.verify(BOB)).ok, lasting);

    expect(await deaf.verify(BOB)).toMatchObject({ ok: true, grant: { user: { userId: 'bob' } } });
    await Promise.all([deaf.close(), editor.file?.close()]);
  }, 60_000);

  test('are read once for many signals, and once more for those that arrive during a read', async () => {
    const { storage } = parseConfig({ TOKENS_STORE: 'database', DATABASE_URL: await databases.create() });
    const database = await openTokenDatabase(storage, silent);
    const tokens = await openDatabaseTokens({ database, log: silent, pollMs: 3_600_000 });
    const query = database.query.bind(database);
    let looks = 0;
    const ofThoseDuringALook: Promise<void>[] = [];
    database.query = async (statement) => {
      looks += 1;
      if (looks === 1) for (let count = 0; count < 50; count += 1) ofThoseDuringALook.push(tokens.reload());
      return query(statement);
    };

    await Promise.all(Array.from({ length: 50 }, async () => tokens.reload()));
    await Promise.all(ofThoseDuringALook);

    expect(ofThoseDuringALook).toHaveLength(50);
    // PostgreSQL sends a signal once, when it begins to listen.
    expect([2, 3]).toContain(looks);
    await tokens.close();
  });

  test('begin with a token for an admin, which is made once, when the table is empty', async () => {
    const url = await databases.create();
    const first = await open(url);
    const shown = first.oneRunToken ?? '';

    expect(await first.verifier.verify(shown)).toMatchObject({
      ok: true,
      grant: { user: { scopes: ['admin'] } },
    });
    await add(first.editor, ADA, 'ada');
    const second = await open(url);
    expect(second.oneRunToken).toBeUndefined();
    expect((await second.verifier.verify(shown)).ok).toBe(false);
    await Promise.all([first.file?.close(), second.file?.close()]);
  });

  test('that turn out to be missing after the start, or in production, are logged with the command; no token is made that nobody sees', async () => {
    const url = await databases.create();
    const { log, lines } = createMemoryLog();
    await databases.takeAway();
    const late = await open(url, {}, log);
    await databases.giveBack();
    await eventually(async () => late.verifier.isReady?.() === true, { deadlineMs: 15_000 });

    const production = { NODE_ENV: 'production', PUBLIC_URL: 'https://my-app.example' };
    const deployed = await open(url, production, log);
    const told = (): unknown[] =>
      lines.filter(({ msg }) => String(msg).includes('npm run token -- create')).map(({ level }) => level);
    const toldBefore = told();
    const others = [
      await open(url, { ...production, ADMIN_TOKEN: 'an-admin-token-of-20-characters' }, log),
      await open(url, { ...production, OAUTH_ISSUER: 'https://id.example' }, log),
    ];

    expect([late, deployed].map(({ verifier }) => verifier.countTokens?.())).toEqual([0, 0]);
    expect(toldBefore).toEqual(['warn', 'warn']);
    expect(told()).toEqual(toldBefore);
    await Promise.all([late, deployed, ...others].map(async ({ file }) => file?.close()));
  }, 60_000);

  test('are added, changed and removed by the thousand in a few statements, and keep their order', async () => {
    const { storage } = parseConfig({ TOKENS_STORE: 'database', DATABASE_URL: await databases.create() });
    const database = await openTokenDatabase(storage, silent);
    let statements = 0;
    const counting: Database = {
      dialect: database.dialect,
      query: async (statement) => database.query(statement),
      select: async (shape, statement) => database.select(shape, statement),
      isReady: async () => database.isReady(),
      listen: () => undefined,
      close: async () => database.close(),
      transaction: async (work) =>
        database.transaction(async (within) =>
          work({
            select: async (shape, statement) => within.select(shape, statement),
            async query(statement) {
              statements += 1;
              return within.query(statement);
            },
          }),
        ),
    };
    const digests = Array.from({ length: 1_200 }, (_, index) => digestToken(`tok_number_${index}`));
    const edit = async (edits: TokenEdits): Promise<void> =>
      editTokenTable(counting, () => ({ edits, result: undefined }));

    await edit({ add: digests.map((digest, index) => ({ digest, fields: { userId: `u${index}` } })) });
    await edit({ change: new Map(digests.map((digest) => [digest, { disabled: true }])) });
    await edit({ remove: new Set(digests.slice(0, 600)) });

    const { entries } = await readTokens(database);
    expect(entries.map(({ user }) => user.userId)).toEqual(
      digests.slice(600).map((_, index) => `u${600 + index}`),
    );
    expect(entries.every(({ disabled }) => disabled)).toBe(true);
    // At most three statements before each edit, and one for each 500 rows.
    expect(statements).toBeLessThanOrEqual(3 * 3 + 3 + 3 + 2);
    await database.close();
  });

  test('with a fault when the database is back are logged, each fault once', async () => {
    const { storage } = parseConfig({ TOKENS_STORE: 'database', DATABASE_URL: await databases.create() });
    const database = await openTokenDatabase(storage, silent);
    const { log, lines } = createMemoryLog();
    const tokens = await openDatabaseTokens({ database, log, weakTokens: 'refuse', pollMs: 3_600_000 });
    const publish = async (token: string): Promise<void> =>
      editTokenTable(database, () => ({
        edits: { add: [{ digest: digestToken(token), fields: { userId: 'eve' } }] },
        result: undefined,
      }));
    const reload = async (): Promise<void> => {
      for (let count = 0; count < 3; count += 1) await tokens.reload();
    };
    const { query } = database;

    database.query = async () => Promise.reject(unreachable('ECONNREFUSED'));
    await reload();
    Object.assign(database, { query });
    await publish('tok_test1_abc123');
    await reload();
    await publish('tok_test2_def456');
    await reload();
    await tokens.close();

    expect(lines.filter(({ level }) => level === 'error').map(({ reason }) => reason)).toEqual([
      'ECONNREFUSED',
      expect.stringMatching(/^entry 1 is a token of this server's documentation, which everybody knows\. /),
      expect.stringMatching(/^entry 1 is .*; entry 2 is /),
    ]);
  });

  test.each(['a look', 'an admin'])(
    'are read completely after %s found the database lost, as another one with the same version may come back',
    async (who) => {
      const { storage } = parseConfig({ TOKENS_STORE: 'database', DATABASE_URL: await databases.create() });
      const copy = parseConfig({ TOKENS_STORE: 'database', DATABASE_URL: await databases.create() }).storage;
      const [lost, found] = [await openTokenDatabase(storage, silent), await openTokenDatabase(copy, silent)];
      for (const [database, token] of [
        [lost, ADA],
        [found, BOB],
      ] as const)
        // prettier-ignore
        await editTokenTable(database, () => ({
          edits: { add: [{ digest: digestToken(token), fields: { userId: 'ada' } }] },
          result: undefined,
        }));
      const tokens = await openDatabaseTokens({ database: lost, log: silent, pollMs: 3_600_000 });
      await tokens.reload();

      lost.query = async () => Promise.reject(unreachable('ECONNREFUSED'));
      await (who === 'a look' ? tokens.reload() : tokens.read().catch(() => undefined));
      lost.query = found.query.bind(found);
      await tokens.reload();

      expect(await tokens.verify(BOB)).toMatchObject({ ok: true });
      expect(await tokens.verify(ADA)).toMatchObject({ ok: false, reason: 'revoked' });
      await Promise.all([tokens.close(), found.close()]);
    },
  );

  test('stay in force after the database was replaced by an empty one, until its tables are made; both are logged', async () => {
    const { storage } = parseConfig({ TOKENS_STORE: 'database', DATABASE_URL: await databases.create() });
    const database = await openTokenDatabase(storage, silent);
    const { log, lines } = createMemoryLog();
    const tokens = await openDatabaseTokens({ database, log, pollMs: 3_600_000 });
    await add(tokens, ADA, 'ada');

    // As after the database was dropped and created anew, while no statement was sent.
    for (const statement of [
      sql`drop table server_tokens`,
      sql`drop table server_tokens_version`,
      sql`drop table migrations`,
    ])
      await database.query(statement);
    await tokens.reload();
    const [known, unknown] = [await tokens.verify(ADA), await tokens.verify(BOB)];
    const failure = await add(tokens, BOB, 'bob').catch((error: unknown) => error);
    const told = lines.at(-1);
    const other = await openTokenDatabase(storage, silent);
    await tokens.reload();
    const after = await tokens.verify(ADA);
    await Promise.all([tokens.close(), other.close()]);

    expect(known).toMatchObject({ ok: true });
    expect(unknown).toEqual({ ok: false, reason: 'unavailable' });
    const back = expect.stringMatching(/restore the \w+ that held/) as unknown;
    expect(told).toMatchObject({ level: 'error', fix: back });
    expect(failure).toBeInstanceOf(TokenStoreError);
    expect(failure).toHaveProperty('message', back);
    expect(after).toMatchObject({ ok: false, reason: 'revoked' });
    expect(lines.filter(({ level }) => level === 'warn').slice(-2)).toMatchObject([
      { removed: 1, msg: back },
      { msg: expect.stringContaining('nobody gets in') as unknown },
    ]);
  });

  test('survive concurrent edits on two servers without loss', async () => {
    const url = await databases.create();
    const [one, other] = [await open(url), await open(url)];

    await Promise.all(
      Array.from({ length: 8 }, async (_, index) =>
        add(index % 2 === 0 ? one.editor : other.editor, `tok_number_${index}_0123456789`, `u${index}`),
      ),
    );

    const { entries } = await one.editor.read();
    expect(entries.map(({ user }) => user.userId).toSorted()).toEqual(
      Array.from({ length: 8 }, (_, index) => `u${index}`),
    );
    await Promise.all([one.file?.close(), other.file?.close()]);
  });

  test('stay in force while the database is away; a server that starts meanwhile reports other tokens as unavailable, not unknown', async () => {
    const url = await databases.create();
    const running = await open(url);
    await add(running.editor, ADA, 'ada');
    await databases.takeAway();

    await running.file?.reload();
    const { log, lines } = createMemoryLog();
    const late = await open(url, { ADMIN_TOKEN: 'an-admin-token-of-20-characters' }, log);

    expect(lines).toContainEqual({
      level: 'error',
      time: expect.any(Number),
      // What blocks the path of the file, or the missing socket.
      reason: url.startsWith('sqlite:') ? 'EEXIST' : 'ENOENT',
      msg: 'tokens cannot be read from the database; until they can be read, requests with one of them are answered with 503',
    });
    expect((await running.verifier.verify(ADA)).ok).toBe(true);
    // Other servers may have added it meanwhile; a server that has an SQLite file open continues to read it.
    const isCutOff = !url.startsWith('sqlite:');
    const reason = isCutOff ? 'unavailable' : 'unknown';
    expect(await running.verifier.verify(BOB)).toEqual({ ok: false, reason });
    expect(running.verifier.lookUp?.(digestToken(BOB))).toBe(isCutOff ? 'unavailable' : undefined);
    expect(await late.verifier.verify(ADA)).toEqual({ ok: false, reason: 'unavailable' });
    expect(late.verifier.lookUp?.(digestToken(ADA))).toBe('unavailable');
    expect(late.verifier.isReady?.()).toBe(false);
    expect((await late.verifier.verify('an-admin-token-of-20-characters')).ok).toBe(true);
    await databases.giveBack();
    await eventually(async () => (await late.verifier.verify(ADA)).ok, { deadlineMs: 15_000 });
    expect(late.verifier.lookUp?.(digestToken(ADA))).toMatchObject({ grant: { user: { userId: 'ada' } } });
    expect(late.verifier.lookUp?.(digestToken(BOB))).toBeUndefined();
    await eventually(async () => running.verifier.lookUp?.(digestToken(BOB)) === undefined);
    await Promise.all([running.file?.close(), late.file?.close()]);
  }, 60_000);
});

test('TOKENS_STORE=database with AUTH_TOKENS is refused', () => {
  expect(() => parseConfig({ TOKENS_STORE: 'database', AUTH_TOKENS: '{}' })).toThrow('name two places');
});

describe('the command, when the database cannot be used', () => {
  const sandbox = createSandbox();
  afterEach(async () => {
    process.chdir(ROOT);
    await sandbox.close();
  });

  /** What a command prints, in a folder without settings. */
  const tell = async (url: string, args = ['list']): Promise<{ code: number; told: string }> => {
    process.chdir(await sandbox.folder());
    const told: string[] = [];
    const code = await runTokenCommand(
      args,
      { TOKENS_STORE: 'database', DATABASE_URL: url },
      { now: Date.now, print: () => undefined, warn: (text) => told.push(text) },
    );
    return { code, told: told.join('\n') };
  };

  /** A PostgreSQL server that refuses everyone with one code. */
  const startRefusal = async (code: string): Promise<string> => {
    const fields = Buffer.from(`SFATAL\0C${code}\0Mno\0\0`);
    const head = Buffer.from([0x45, 0, 0, 0, fields.length + 4]);
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(Buffer.concat([head, fields])));
    });
    sandbox.defer(async () => void server.close());
    return `postgres://ada:s3cret-word@127.0.0.1:${await listenOnLoopback(server)}/tokens`;
  };

  test.each([
    ['a wrong password', async () => startRefusal('28P01'), '28P01', 'the user or the password'],
    ['an unknown database', async () => startRefusal('3D000'), '3D000', 'no such database'],
    ['a database on a full disk', async () => startRefusal('53100'), '53100', 'the disk is full'],
    [
      'a database without free connections',
      async () => startRefusal('53300'),
      '53300',
      'all of its connections are in use',
    ],
    [
      'a database that can only be read',
      async () => startRefusal('25006'),
      '25006',
      'Name its primary in DATABASE_URL',
    ],
    [
      'a database with a fault of its own',
      async () => startRefusal('58000'),
      '58000',
      'what the database itself logs',
    ],
    [
      'a port where nothing listens',
      async () => 'postgres://ada:s3cret-word@127.0.0.1:1/tokens',
      'ECONNREFUSED',
      'the host and the port',
    ],
    [
      'a path that is a folder',
      async () => `sqlite:${await sandbox.folder()}`,
      'SQLITE_CANTOPEN',
      'cannot be opened',
    ],
    [
      'a file that is no database',
      async () => {
        const file = path.join(await sandbox.folder(), 'tokens.json');
        await writeFile(file, 'no database at all'.repeat(100));
        return `sqlite:${file}`;
      },
      'SQLITE_NOTADB',
      'not an SQLite database',
    ],
  ])('names the reason and what to change: %s', async (_, start, reason, words) => {
    const { code, told } = await tell(await start());

    expect(code).toBe(1);
    expect(told).toContain(`The database of the tokens cannot be used (${reason}): `);
    expect(told).toContain(words);
    expect(told).toContain('DATABASE_URL');
    expect(told).not.toMatch(/s3cret-word|again/);
  });

  test('warns of tokens that servers refuse to load, until they are removed', async () => {
    const url = `sqlite:${path.join(await sandbox.folder(), 'data', 'own.db')}`;
    const { storage } = parseConfig({ DATABASE_URL: url });
    const database = await openTokenDatabase(storage, silent);
    const digest = digestToken('tok_test1_abc123');
    await editTokenTable(database, () => ({
      edits: { add: [{ digest, fields: { userId: 'eve' } }] },
      result: undefined,
    }));
    await database.close();

    const created = await tell(url, ['create', '--user', 'ada']);
    const revoked = await tell(url, ['revoke', digest.slice(0, 8)]);

    expect(created.code).toBe(0);
    expect(created.told).toContain(
      'the database contains tokens that are short or stand in the documentation',
    );
    expect(created.told).toContain(digest.slice(0, 8));
    expect(revoked).toMatchObject({ code: 0, told: expect.not.stringContaining('documentation') as unknown });
  });

  test('names the migration that does not match, as the start of a server does, without a stack', async () => {
    const url = `sqlite:${path.join(await sandbox.folder(), 'other.db')}`;
    const { storage } = parseConfig({ DATABASE_URL: url });
    const steps = [{ name: 'another', statements: [] }];
    const other = await openDatabase(storage, { migrations: [{ owner: 'tokens', steps }], log: silent });
    await other.close();

    const failure = await open(url).catch((error: unknown) => error);
    const { code, told } = await tell(url);

    expect({ code, told }).toEqual({ code: 1, told: describeStartFailure(failure) });
    expect(told).toMatch(/^The database of the tokens cannot be opened: migration 1 of tokens is .*\.$/);
  });
});

test('closing does not wait for a database that hangs, and logs no error', async () => {
  const { log, lines } = createMemoryLog();
  const closed = new AbortController();
  let hanging = -1;
  const query = async (): Promise<readonly Row[]> => {
    if (hanging === -1) return [];
    hanging += 1;
    await once(closed.signal, 'abort');
    throw unreachable('closed');
  };
  const database: Database = {
    dialect: 'postgres',
    query,
    select: async () => [],
    transaction: async (work) => work(database),
    isReady: async () => true,
    listen: () => undefined,
    close: async () => closed.abort(),
  };
  const tokens = await openDatabaseTokens({ database, log, mayBeNone: true, pollMs: 1 });
  hanging = 0;
  await eventually(() => hanging === 1);

  await tokens.close();

  expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
});

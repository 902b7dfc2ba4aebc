/** The port to the database: both kinds behave alike, are there or not, and are brought to where the program expects them. */
import { EventEmitter, once } from 'node:events';
import { chmod, cp, readdir, rename, stat } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import path from 'node:path';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { parseConfig } from '../../src/config/config.ts';
import { findModernNode } from '../../scripts/modern-node.ts';
import type { Database, Driver } from '../../src/storage/database.ts';
import {
  ConstraintError,
  StatementError,
  StorageUnavailable,
  unreachable,
} from '../../src/storage/errors.ts';
import { openLiveDatabase } from '../../src/storage/live-database.ts';
import type { Migrations } from '../../src/storage/migrations.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { createPostgresDriver } from '../../src/storage/postgres.ts';
import { createSqliteDriver } from '../../src/storage/sqlite.ts';
import { listOf, sql, type Statement } from '../../src/storage/statement.ts';
import { describeForBoth, type TestDatabases } from '../support/databases.ts';
import { leftToCi, testInCi } from '../support/in-ci.ts';
import { createMemoryLog, type MemoryLog } from '../support/memory-log.ts';
import { hasPostgres, PASSWORD, startPostgres } from '../support/postgres.ts';
import { builtFile, createSandbox, waitFor, waitForEnd } from '../support/process.ts';

/** Tables for tests. */
const NOTES: Migrations = {
  owner: 'notes',
  steps: [
    {
      name: 'notes',
      statements: [
        sql`create table notes (id text primary key, user_id text not null, rank integer not null, weight double precision, bytes bytea)`,
        sql`create index notes_of_user on notes (user_id)`,
      ],
    },
    {
      name: 'tags',
      statements: [
        sql`create table tags (note_id text not null references notes (id) on delete cascade, tag text not null, primary key (note_id, tag))`,
      ],
    },
  ],
};

/** The ids that are kept. */
async function idsIn(from: Database): Promise<unknown[]> {
  return (await from.query(sql`select id from notes order by rank`)).map(({ id }) => id);
}

/** The modes of files, in octal digits. */
async function modesOf(...names: string[]): Promise<string[]> {
  return Promise.all(names.map(async (name) => ((await stat(name)).mode & 0o777).toString(8)));
}

/** A row more. */
function insert(id: string): Statement {
  return sql`insert into notes (id, user_id, rank) values (${id}, 'all', 0)`;
}

describeForBoth('a database', (start) => {
  const sandbox = createSandbox();
  let databases: TestDatabases;
  let memory: MemoryLog;
  let database: Database;
  const opened: Database[] = [];

  /** Opens the database at an address. */
  async function open(url: string, migrations: Migrations = NOTES, { log } = memory): Promise<Database> {
    const { storage } = parseConfig({ DATABASE_URL: url });
    const made = await openDatabase(storage, { migrations: [migrations], log });
    opened.push(made);
    return made;
  }

  beforeAll(async () => {
    databases = await start(sandbox);
    memory = createMemoryLog();
    database = await open(await databases.create());
  }, 60_000);
  afterAll(async () => {
    await Promise.all(opened.map(async (each) => each.close()));
    await sandbox.close();
  });

  test('returns values unchanged, and counts and sums as numbers', async () => {
    const nasty = `'; drop table notes; -- $1 ? "é" 💡 \\`;
    const bytes = new Uint8Array([0, 1, 255]);

    await database.query(
      sql`insert into notes (id, user_id, rank, weight, bytes) values (${nasty}, 'ada', ${-7}, ${0.1}, ${bytes})`,
    );
    const rows = await database.query(sql`select * from notes where id = ${nasty}`);
    const sums = await database.select(
      z.object({ many: z.number(), total: z.number(), mean: z.number() }),
      sql`select count(*) as many, sum(rank) as total, avg(rank) as mean from notes where id = ${nasty}`,
    );
    const gone = await database.query(
      sql`delete from notes where id = ${nasty} returning weight, null as none_at_all`,
    );

    expect(rows).toEqual([{ id: nasty, user_id: 'ada', rank: -7, weight: 0.1, bytes: expect.anything() }]);
    expect(Buffer.from(rows[0]?.['bytes'] as Uint8Array).toString('hex')).toBe('0001ff');
    expect(sums).toEqual([{ many: 1, total: -7, mean: -7 }]);
    expect(gone).toEqual([{ weight: 0.1, none_at_all: null }]);
  });

  test('accepts parts of statements, and lists', async () => {
    const ids = ['part-1', 'part-2', 'part-3'];
    for (const [rank, id] of ids.entries())
      await database.query(sql`insert into notes (id, user_id, rank) values (${id}, 'parts', ${rank})`);
    const ofUser = sql`user_id = ${'parts'} and rank < ${2}`;

    const some = await database.query(
      sql`select id from notes where ${ofUser} and id in (${listOf(ids)}) order by id`,
    );
    const none = await database.query(sql`select id from notes where ${ofUser} and id in (${listOf([])})`);
    await database.query(sql`delete from notes where user_id = 'parts'`);

    expect(some.map(({ id }) => id)).toEqual(['part-1', 'part-2']);
    expect(none).toEqual([]);
  });

  test('reports which constraint a row violates, without its values', async () => {
    const secret = 'said-in-confidence';
    await database.query(sql`insert into notes (id, user_id, rank) values (${secret}, 'ada', 1)`);

    const doubled = database.query(sql`insert into notes (id, user_id, rank) values (${secret}, 'ada', 1)`);
    const dangling = database.query(sql`insert into tags (note_id, tag) values ('no such', ${secret})`);
    const wrong = database.query(sql`select ${secret} from no_such_table`);
    const two = database.query(sql`select 1; select 2`);

    await expect(doubled).rejects.toMatchObject({ name: 'ConstraintError', constraint: 'unique' });
    await expect(dangling).rejects.toMatchObject({ name: 'ConstraintError', constraint: 'other' });
    await expect(wrong).rejects.toThrow(StatementError);
    await expect(wrong).rejects.toThrow(/no_such_table/);
    await expect(two).rejects.toThrow(StatementError);
    for (const failing of [doubled, dangling, wrong]) await expect(failing).rejects.not.toThrow(secret);
    await database.query(sql`delete from notes where id = ${secret}`);
  });

  test('refuses a value that no database stores with an error for the caller', () => {
    expect(() => sql`select ${'a\0b'}`).toThrow(
      new StorageUnavailable(
        'unstorable',
        'A text with the character U+0000 cannot be stored. Remove the character.',
      ),
    );
    expect(() => sql`select ${Number.NaN}`).toThrow(StorageUnavailable);
  });

  test('applies all of a transaction or nothing', async () => {
    const result = await database.transaction(async (within) => {
      await within.query(insert('kept-1'));
      await within.query(insert('kept-2'));
      return 'done';
    });
    const failed = database.transaction(async (within) => {
      await within.query(insert('lost-1'));
      throw new Error('changed my mind');
    });
    await expect(failed).rejects.toThrow('changed my mind');
    const swallowed = database.transaction(async (within) => {
      await within.query(insert('lost-2'));
      await within.query(insert('kept-1')).catch(() => undefined);
    });
    await expect(swallowed).rejects.toThrow(ConstraintError);

    expect(result).toBe('done');
    expect(await idsIn(database)).toEqual(['kept-1', 'kept-2']);
    await database.query(sql`delete from notes`);
  });

  test('serializes concurrent transactions, in several processes too', async () => {
    const url = await databases.create();
    const two = [await open(url), await open(url)];
    await two[0]?.query(sql`insert into notes (id, user_id, rank) values ('counter', 'ada', 0)`);

    const counts = Array.from({ length: 20 }, async (_nothing, index) =>
      two[index % 2]?.transaction(async (within) => {
        const [row] = await within.query(sql`select rank from notes where id = 'counter'`);
        const rank = Number(row?.['rank']) + 1;
        await within.query(sql`update notes set rank = ${rank} where id = 'counter'`);
        return rank;
      }),
    );

    expect((await Promise.all(counts)).toSorted((one, other) => Number(one) - Number(other))).toEqual(
      Array.from({ length: 20 }, (_nothing, index) => index + 1),
    );
  });

  test('rejects a query outside the open transaction, and one in a transaction that is over', async () => {
    let within: Pick<Database, 'query'> | undefined;
    const inside = database.transaction(async (given) => {
      within = given;
      return database.query(sql`select 1`);
    });

    await expect(inside).rejects.toThrow('Inside a transaction, query the object that it hands you');
    await expect(within?.query(sql`select 1`)).rejects.toThrow('This transaction is over.');
  });

  test('whose connections are all in use is busy, but not reported as away', async () => {
    const own = await open(await databases.create());
    // SQLite has none.
    const waits = own.dialect === 'sqlite' ? [] : Array.from({ length: 10 }, () => sql`select pg_sleep(3)`);
    const first = memory.lines.length;

    const slow = waits.map(async (wait) => own.query(wait));
    const next = await own.query(sql`select 1 as one`).catch((error: unknown) => error);

    expect(await own.isReady()).toBe(true);
    expect(next).toMatchObject(waits.length > 0 ? { code: 'busy', reason: 'connections' } : [{ one: 1 }]);
    await Promise.all(slow);
    expect(memory.lines.slice(first).filter(({ level }) => level !== 'info')).toEqual([]);
  });

  test('closes within two seconds, and cuts statements that are still running', async () => {
    const url = await databases.create();
    const own = await open(url);
    const isWaiting = new EventEmitter();
    const begun = once(isWaiting, 'begun');
    const atWork = [
      own.transaction(async (within) => {
        await within.query(sql`select 1`);
        isWaiting.emit('begun');
        // For something that never comes.
        await once(isWaiting, 'goes on');
      }),
      ...(own.dialect === 'postgres' ? [own.query(sql`select pg_sleep(9)`)] : []),
    ];
    await begun;
    const ended = Promise.allSettled(atWork);

    await own.close();

    expect(await ended).toEqual(
      atWork.map(() => ({ status: 'rejected', reason: expect.objectContaining({ code: 'unreachable' }) })),
    );
  });

  test('that another process is migrating does not delay its close', async () => {
    const url = await databases.create();
    const other = await open(url);
    const isHeld = new EventEmitter();
    const begun = once(isHeld, 'begun');
    const holding = other.transaction(async (within) => {
      // Where there is no such lock, nobody else may write meanwhile.
      if (other.dialect === 'postgres') await within.query(sql`select pg_advisory_xact_lock(7021953)`);
      isHeld.emit('begun');
      await once(isHeld, 'over');
    });
    await begun;

    const late = await open(url);
    await late.close();
    isHeld.emit('over');

    await expect(holding).resolves.toBeUndefined();
  });

  test('is migrated once by several processes that start together, and runs beside a later version', async () => {
    const url = await databases.create();

    const all = await Promise.all([open(url), open(url), open(url)]);
    const [first] = NOTES.steps;
    const earlier = await open(url, { owner: 'notes', steps: first === undefined ? [] : [first] });
    const others = await open(url, {
      owner: 'others',
      steps: [{ name: 'one', statements: [sql`create table others (id text)`] }],
    });

    const taken = await others.query(sql`select owner, number, name from migrations order by owner, number`);
    expect(taken).toEqual([
      { owner: 'notes', number: 1, name: 'notes' },
      { owner: 'notes', number: 2, name: 'tags' },
      { owner: 'others', number: 1, name: 'one' },
    ]);
    for (const each of [...all, earlier]) expect(await each.isReady()).toBe(true);
  });

  test('makes the start fail after a different migration or a failed one, of which nothing stays', async () => {
    const url = await databases.create();
    await open(url);
    const bad = { name: 'bad', statements: [sql`create table half (id text)`, sql`create tabel half`] };

    const renamed = open(url, { owner: 'notes', steps: [{ name: 'another', statements: [] }] });
    const refused = open(url, { owner: 'fresh', steps: [bad] });

    await expect(renamed).rejects.toThrow(
      /migration 1 of notes is "another", but .* called "notes"\. Never change/,
    );
    await expect(refused).rejects.toThrow(/^migration 1 of fresh \("bad"\): .*syntax error/);
    const again = await open(url, {
      owner: 'fresh',
      steps: [{ name: 'good', statements: [sql`create table half (id text)`] }],
    });
    expect(await again.isReady()).toBe(true);
  });

  test('that is away does not delay the start, is logged once, and is used once it is back', async () => {
    const url = await databases.create();
    const own = createMemoryLog();
    await databases.takeAway();

    const away = await open(url, NOTES, own);
    const [isReady, asked] = [await away.isReady(), away.query(sql`select 1`)];
    await expect(asked).rejects.toThrow('The database cannot be reached at the moment.');
    await databases.giveBack();
    await waitFor('the database', async () => away.isReady());

    expect(isReady).toBe(false);
    expect(await idsIn(away)).toEqual([]);
    // A slip of the pen in the path of a file makes another one: so much is told.
    expect(own.lines.at(-1)).toMatchObject(
      url.startsWith('sqlite:')
        ? { file: url.slice('sqlite:'.length), isNew: true }
        : { dialect: 'postgres' },
    );
    const known = createMemoryLog();
    await open(url, NOTES, known);
    expect(known.lines[0]).toMatchObject({ msg: 'database reached' });
    expect(known.lines[0]).not.toHaveProperty('isNew', true);
    expect(own.lines.map(({ msg }) => msg)).toEqual(['database cannot be reached', 'database reached']);
    expect(own.lines[0]?.['reason']).toMatch(/^[A-Z0-9_]+$/);
    expect(JSON.stringify(own.lines)).not.toContain(PASSWORD);
  });

  test('that is lost during a write reports that it may be written, and is reconnected', async () => {
    const url = await databases.create();
    // A file is written by this process itself, which knows.
    if (url.startsWith('sqlite:')) return;
    const own = createMemoryLog();
    const [lost, other] = [await open(url, NOTES, own), await open(url)];
    for (const statement of [
      sql`create function wait() returns trigger language plpgsql as 'begin perform pg_sleep(9); return null; end'`,
      sql`create constraint trigger at_last after insert on notes deferrable initially deferred for each row when (new.rank = 0) execute function wait()`,
      sql`create trigger at_once before insert on notes for each row when (new.rank = 1) execute function wait()`,
    ])
      await lost.query(statement);

    const work = Promise.allSettled([
      lost.transaction(async (within) => within.query(insert('late'))),
      lost.query(sql`insert into notes (id, user_id, rank) values ('later', 'all', 1)`),
      lost.query(sql`select pg_sleep(9)`),
    ]);
    await waitFor('all three', async () => {
      const rows = await other.query(
        sql`select 1 from pg_stat_activity where datname = current_database() and state = 'active' and (query = 'commit' or query like 'insert%' or query like '%sleep(9)')`,
      );
      return rows.length === 3;
    });
    await databases.takeAway();

    const unsure = {
      code: 'unsure',
      message: expect.stringContaining('may be written or not') as unknown,
    };
    expect(await work).toMatchObject([
      { reason: unsure },
      { reason: unsure },
      { reason: { code: 'unreachable' } },
    ]);
    await waitFor('a look', () => own.lines.some(({ msg }) => msg === 'database cannot be reached'));
    await databases.giveBack();
    await waitFor('the database', async () => lost.isReady());
  });

  test('that is lost during use fails the calls meanwhile, and has its data when it is back', async () => {
    const own = createMemoryLog();
    const lost = await open(await databases.create(), NOTES, own);
    await lost.query(sql`insert into notes (id, user_id, rank) values ('before', 'ada', 0)`);

    await databases.takeAway();
    const failure = await waitFor('a call that fails', async () =>
      lost.query(sql`select 1`).then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
    const [isReady, inTransaction] = [await lost.isReady(), lost.transaction(async () => undefined)];
    await expect(inTransaction).rejects.toMatchObject({ code: 'unreachable' });
    await databases.giveBack();
    await waitFor('the database', async () => lost.isReady());

    expect(failure).toMatchObject({ name: 'ToolError', code: 'unreachable' });
    expect(isReady).toBe(false);
    expect(await idsIn(lost)).toEqual(['before']);
    expect(own.lines.map(({ msg }) => msg)).toEqual([
      'database reached',
      'database cannot be reached',
      'database is back',
    ]);
    expect(JSON.stringify(own.lines)).not.toContain(PASSWORD);
  });
});

/** What PostgreSQL calls its socket in a folder. */
const SOCKET = '.s.PGSQL.5432';

const describeWithPostgres = hasPostgres ? describe : describe.skip;
leftToCi(describeWithPostgres)('a PostgreSQL that hangs', () => {
  const sandbox = createSandbox();
  afterAll(async () => sandbox.close());

  test('is noticed as soon as one that is not there', async () => {
    const postgres = await startPostgres(sandbox);
    await postgres.start();
    const url = new URL(postgres.createDatabase());
    const [itself, way] = [url.searchParams.get('host') ?? '', await sandbox.folder()];
    const sockets: Socket[] = [];
    const between = createServer((near) => {
      const far = connect(path.join(itself, SOCKET));
      sockets.push(near.pipe(far), far.pipe(near));
    }).listen(path.join(way, SOCKET));
    await once(between, 'listening');
    url.searchParams.set('host', way);
    const driver = await createPostgresDriver(url.href);
    sandbox.defer(async () => {
      for (const socket of sockets) socket.destroy();
      between.close();
      await driver.close();
    });
    await driver.connect();

    for (const socket of sockets) socket.unpipe().pause();
    const askedAtMs = performance.now();
    const failure = await driver.connect().catch((error: unknown) => error);
    const tookMs = performance.now() - askedAtMs;

    expect(failure).toMatchObject({ code: 'unreachable', reason: 'hangs' });
    expect(tookMs).toBeLessThan(8_000);
  }, 60_000);
});

describe('a database that is away', () => {
  test('is logged once a minute', async () => {
    const { log, lines } = createMemoryLog();
    let nowMs = 0;
    let tries = 0;
    const driver: Driver = {
      dialect: 'postgres',
      async connect() {
        tries += 1;
        throw unreachable('ECONNREFUSED');
      },
      query: async () => [],
      transaction: async (work) => work(async () => []),
      close: async () => undefined,
    };
    const away = await openLiveDatabase({ driver, migrations: [], log, now: () => nowMs });
    await waitFor('more tries', () => tries >= 3);
    const before = lines.length;

    nowMs = 60_000;
    await waitFor('another line', () => lines.length > before);
    await away.close();

    expect(lines).toMatchObject([
      { msg: 'database cannot be reached', reason: 'ECONNREFUSED' },
      { msg: 'database cannot be reached', reason: 'ECONNREFUSED' },
    ]);
  });

  test('is reconnected by one attempt at a time, however many statements were running', async () => {
    const under: ((error: Error) => void)[] = [];
    let tries = 0;
    const driver: Driver = {
      dialect: 'sqlite',
      connect: async () => {
        tries += 1;
        if (tries > 1) throw unreachable('ECONNREFUSED');
      },
      query: async () =>
        new Promise((_resolve, reject) => {
          under.push(reject);
        }),
      transaction: async (work) => work(async () => []),
      close: async () => undefined,
    };
    const database = await openLiveDatabase({ driver, migrations: [], log: createMemoryLog().log });
    const asked = Array.from({ length: 50 }, async () => database.query(sql`select 1`));
    const outcomes = Promise.allSettled(asked);

    // One after the other, as each notices in its own time.
    for (const fail of under) {
      fail(unreachable('ECONNRESET'));
      await turnOfTheLoop();
    }
    await outcomes;
    const triesMeanwhile = tries;
    await database.close();

    // Those after the second come of pauses, of 100 ms at the least.
    expect(triesMeanwhile).toBeLessThan(10);
  });
});

describe('a file of SQLite', () => {
  const sandbox = createSandbox();
  afterAll(async () => sandbox.close());

  test('that is new is readable only by its owner, with the files beside it, and an existing one keeps its mode', async () => {
    const file = path.join(await sandbox.folder(), 'of-its-owner.db');
    const { storage } = parseConfig({ DATABASE_URL: `sqlite:${file}` });
    const parts = { migrations: [NOTES], log: createMemoryLog().log };

    const first = await openDatabase(storage, parts);
    const made = await modesOf(file, `${file}-wal`, `${file}-shm`);
    await first.close();
    await chmod(file, 0o640);
    const second = await openDatabase(storage, parts);
    const kept = await modesOf(file);
    await second.close();

    expect([made, kept]).toEqual([['600', '600', '600'], ['640']]);
  });

  test('that is closed during a transaction leaves no lock behind', async () => {
    const file = path.join(await sandbox.folder(), 'data', 'own.db');
    const moved = `${path.dirname(file)}-moved`;
    const [driver, other] = [await createSqliteDriver(file), await createSqliteDriver(file)];
    await driver.connect();
    await driver.query(sql`create table kept (id text)`);

    const lost = driver.transaction(async (query) => {
      await query(sql`insert into kept values ('lost')`);
      await rename(path.dirname(file), moved);
      // Until it is looked for again.
      for (;;) {
        await query(sql`select 1`);
        await turnOfTheLoop();
      }
    });
    await expect(lost).rejects.toMatchObject({ code: 'unreachable', reason: 'file_gone' });
    await rename(moved, path.dirname(file));
    await other.connect();
    await other.query(sql`insert into kept values ('kept')`);

    expect(await other.query(sql`select id from kept`)).toEqual([{ id: 'kept' }]);
    await Promise.all([driver.close(), other.close()]);
  }, 60_000);

  test('is a single complete file after its close, also when another process had it open before', async () => {
    const folder = await sandbox.folder();
    const file = path.join(folder, 'whole.db');
    const [first, last] = [await createSqliteDriver(file), await createSqliteDriver(file)];
    await Promise.all([first.connect(), last.connect()]);
    await first.query(sql`create table kept (id text)`);
    await last.query(sql`insert into kept values ('kept')`);

    await first.close();
    await last.query(sql`insert into kept values ('after')`);
    await last.close();
    const alone = path.join(folder, 'copy', 'alone.db');
    await cp(file, alone);
    const copy = await createSqliteDriver(alone);
    await copy.connect();
    const rows = await copy.query(sql`select id from kept`);
    await copy.close();

    expect(rows).toEqual([{ id: 'kept' }, { id: 'after' }]);
    expect(await readdir(path.dirname(alone))).toEqual(['alone.db']);
  }, 60_000);

  test('is closed after all waiting statements', async () => {
    const driver = await createSqliteDriver(path.join(await sandbox.folder(), 'asked.db'));
    await driver.connect();
    const asked = Promise.allSettled(
      Array.from({ length: 1_001 }, async () => driver.query(sql`select 1 as one`)),
    );

    await driver.close();

    const outcomes = await asked;
    expect(outcomes.at(999)).toEqual({ status: 'fulfilled', value: [{ one: 1 }] });
    expect(outcomes.at(1_000)).toMatchObject({ reason: { code: 'busy', reason: 'queue' } });
    await expect(driver.query(sql`select 1`)).rejects.toMatchObject({ reason: 'closed' });
  });

  test('that another process has locked does not delay its close, and waiting work is refused', async () => {
    const file = path.join(await sandbox.folder(), 'locked.db');
    const [driver, other] = [await createSqliteDriver(file), await createSqliteDriver(file)];
    await Promise.all([driver.connect(), other.connect()]);
    await driver.query(sql`create table kept (id text)`);
    let unlock: (() => void) | undefined;
    let [isLocked, began] = [false, 0];
    const locking = other.transaction(async () => {
      isLocked = true;
      await new Promise<void>((resolve) => {
        unlock = resolve;
      });
    });
    await waitFor('the lock', () => isLocked);

    const waiting = Promise.allSettled([
      driver.transaction(async () => (began += 1), { alone: true }),
      driver.query(sql`insert into kept values ('waits')`),
      driver.transaction(async () => (began += 1)),
    ]);
    // The first has its turn, and the others wait for theirs.
    await turnOfTheLoop();
    await driver.close();
    await expect(driver.connect()).rejects.toMatchObject({ reason: 'closed' });

    expect(await waiting).toMatchObject([
      { reason: { code: 'busy', reason: 'SQLITE_BUSY' } },
      { reason: { code: 'busy', reason: 'SQLITE_BUSY' } },
      { reason: { code: 'unreachable', reason: 'closed' } },
    ]);
    expect(began).toBe(0);
    unlock?.();
    await locking;
    await other.close();
  }, 60_000);
});

describe('SQLite of a newer Node', () => {
  const sandbox = createSandbox();
  afterAll(async () => sandbox.close());

  testInCi(
    'is Node’s own, and does the same',
    async () => {
      const built = path.dirname(builtFile('src/storage/open-database.js'));
      const program = `
      import { openDatabase } from ${JSON.stringify(`${built}/open-database.js`)};
      import { sql } from ${JSON.stringify(`${built}/statement.js`)};
      import { loadSqlite } from ${JSON.stringify(`${built}/sqlite-library.js`)};
      import { readdirSync } from 'node:fs';
      const log = { info() {}, warn() {}, error() {} };
      const migrations = [{ owner: 'notes', steps: [{ name: 'notes', statements: [sql\`create table notes (id text primary key, rank integer)\`] }] }];
      const open = () => openDatabase({ dialect: 'sqlite', file: 'notes.db', isLostWithDeployment: false }, { migrations, log });
      const two = await Promise.all([open(), open()]);
      const insert = () => two[0].query(sql\`insert into notes values (\${'a'}, 0) returning rank\`);
      const rows = await insert();
      const refused = await insert().catch(({ name, constraint }) => name + ' ' + constraint);
      await Promise.all(Array.from({ length: 10 }, (_, index) => two[index % 2].transaction(async (within) => {
        const [{ rank }] = await within.query(sql\`select rank from notes\`);
        await within.query(sql\`update notes set rank = \${rank + 1}\`);
      })));
      const [{ rank }] = await two[1].query(sql\`select rank from notes\`);
      await Promise.all(two.map((each) => each.close()));
      const isOfNode = (await loadSqlite()).DatabaseSync === process.getBuiltinModule('node:sqlite').DatabaseSync;
      console.log(JSON.stringify({ rows, refused, rank, isOfNode, files: readdirSync('.') }));`;

      const child = sandbox.spawn({
        command: await findModernNode(),
        args: ['--input-type=module', '--eval', program],
        cwd: await sandbox.folder(),
      });
      await waitForEnd(child);

      expect({ stdout: child.stdout(), stderr: child.stderr().replaceAll(/^\(.*\n/gm, '') }).toEqual({
        stdout:
          '{"rows":[{"rank":0}],"refused":"ConstraintError unique","rank":10,"isOfNode":true,"files":["notes.db"]}\n',
        stderr: '',
      });
    },
    60_000,
  );
});

/** Counts of use in a database: of all processes together, across restarts, by days, and while the database is unavailable. */
import { channel } from 'node:diagnostics_channel';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { digestToken, tokenIdOf } from '../../../../src/auth/digest.ts';
import { parseConfig } from '../../../../src/config/config.ts';
import { createKeptUsage } from '../../../../src/http/admin/kept/kept-usage.ts';
import { openUseDatabase } from '../../../../src/http/admin/kept/open-use.ts';
import { addUse, readUse } from '../../../../src/http/admin/kept/use-tables.ts';
import { MAX_NAMES, UseCounts } from '../../../../src/http/admin/use-counts.ts';
import { CALL_ENDED } from '../../../../src/mcp/call-records.ts';
import { openKeptUse } from '../../../../src/server/kept-use.ts';
import type { Database } from '../../../../src/storage/database.ts';
import { openDatabase } from '../../../../src/storage/open-database.ts';
import { describeForBoth, type TestDatabases } from '../../../support/databases.ts';
import { createMemoryLog } from '../../../support/memory-log.ts';
import { createSandbox, ROOT, waitForEnd } from '../../../support/process.ts';
import { callTool, eventually, send } from '../../../support/raw-http.ts';
import { type ServerProcess, startServer, TOKEN, TOKENS_JSON } from '../../../support/server-process.ts';

const ADMIN = 'tok_admin_0123456789';
const PEOPLE = { ...(JSON.parse(TOKENS_JSON) as object), [ADMIN]: { userId: 'tea', scopes: ['admin'] } };

/** A day in milliseconds, and the time at which a test begins. */
const [DAY_MS, START_MS] = [86_400_000, Date.parse('2026-06-01T23:59:00Z')];

/** What the list of people says of a token. */
interface Facts {
  readonly userId: string;
  readonly lastUse: string | null;
  readonly calls: readonly number[];
}

/** Calls a tool with a token, so many times. */
async function call(server: ServerProcess, token: string, times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    const { status } = await send(`${server.url}/mcp`, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${token}`,
        Accept: 'application/json, text/event-stream',
        'Content-Type': 'application/json',
        'MCP-Protocol-Version': '2025-11-25',
      },
      body: JSON.stringify(callTool(time, 'get_greeting')),
    });
    expect(status).toBe(200);
  }
}

/** How often a user called and when last, and what the list says about the counts. */
async function usageOf(server: ServerProcess, userId: string) {
  const { body } = await send(`${server.url}/admin/api/people`, {
    headers: { Authorization: `Bearer ${ADMIN}` },
  });
  const { tokens, usage } = body as { tokens: Facts[]; usage: string };
  const facts = tokens.find((token) => token.userId === userId);
  return { total: facts?.calls.reduce((sum, calls) => sum + calls, 0), lastUse: facts?.lastUse, usage };
}

/** Opens the tables of use. */
async function open(url: string): Promise<Database> {
  return openUseDatabase(parseConfig({ DATABASE_URL: url }).storage, createMemoryLog().log);
}

/** Ends a server with SIGTERM, as its host does. */
async function stop(server: ServerProcess): Promise<void> {
  server.child.kill('SIGTERM');
  expect((await waitForEnd(server)).code).toBe(0);
}

/** Publishes that a call of a user has ended. */
function make(userId: string): void {
  channel(CALL_ENDED).publish({ userId, tokenId: `of-${userId}` });
}

test.each([
  ['database', []],
  ['file', ['database cannot be reached']],
])(
  'a lost database is logged by the counts only if no tokens are in it (TOKENS_STORE=%s)',
  async (store, logged) => {
    const config = parseConfig({ TOKENS_STORE: store, DATABASE_URL: 'postgres://me@127.0.0.1:1/none' });
    const { log, lines } = createMemoryLog();
    const usage = await openKeptUse({ config, log });

    make('ada');
    await usage?.refresh();
    const words = lines.map(({ msg }) => msg);
    await usage?.close();

    expect(words).toEqual([
      ...logged,
      'counts of use cannot be saved at the moment; they are kept in memory',
    ]);
  },
);

describeForBoth('counts of use in a database', (startDatabases) => {
  const sandbox = createSandbox();
  let databases: TestDatabases;
  beforeAll(async () => {
    databases = await startDatabases(sandbox);
  }, 60_000);
  afterAll(async () => sandbox.close());

  test('are the sums of all processes, and survive restarts', async () => {
    const url = await databases.create();
    const start = async (): Promise<ServerProcess> =>
      startServer(sandbox, {
        env: { AUTH_ENABLED: 'true', DATABASE_URL: url },
        files: { 'tokens.json': JSON.stringify(PEOPLE) },
      });
    const [one, other] = await Promise.all([start(), start()]);

    await Promise.all([call(one, TOKEN.ada, 2), call(other, TOKEN.ada, 3), call(one, TOKEN.bob, 1)]);
    await stop(other);
    const meanwhile = await usageOf(one, 'ada');
    await stop(one);
    const next = await start();
    const [ada, bob] = [await usageOf(next, 'ada'), await usageOf(next, 'bob')];
    await stop(next);

    expect(meanwhile.total).toBe(5);
    expect([ada.total, bob.total]).toEqual([5, 1]);
    expect(Date.parse(ada.lastUse ?? '')).toBeGreaterThan(Date.now() - DAY_MS);
    expect(ada.usage).toContain('include all processes');
  }, 60_000);

  test('let the command list when a token was last used', async () => {
    const url = await databases.create();
    const env = { AUTH_TOKENS: '', TOKENS_FILE: '', DATABASE_URL: url };
    const files = { 'tokens.json': JSON.stringify(PEOPLE) };
    const cwd = await sandbox.folder(files);
    const list = async (): Promise<{ userId: string; lastUse?: string | null }[]> => {
      const run = sandbox.spawn({
        command: process.execPath,
        args: [path.join(ROOT, 'dist/scripts/token.js'), 'list', '--json'],
        cwd,
        env,
      });
      expect({ ...(await waitForEnd(run)), stderr: run.stderr() }).toMatchObject({ code: 0 });
      return JSON.parse(run.stdout()) as { userId: string; lastUse?: string | null }[];
    };
    const usage = createKeptUsage({ open: async () => open(url), log: createMemoryLog().log });
    channel(CALL_ENDED).publish({ userId: 'ada', tokenId: tokenIdOf(digestToken(TOKEN.ada)) });
    await usage.close();

    const listed = await list();

    const today = new Date().toISOString().slice(0, 10);
    expect(listed.find(({ userId }) => userId === 'ada')?.lastUse).toBe(today);
    expect(listed.find(({ userId }) => userId === 'tea')?.lastUse).toBeNull();
  }, 60_000);

  test('that cannot be read are reported by the command, which still lists the tokens', async () => {
    const url = await databases.create();
    const { storage } = parseConfig({ DATABASE_URL: url });
    const migrations = [{ owner: 'use', steps: [{ name: 'another', statements: [] }] }];
    await (await openDatabase(storage, { migrations, log: createMemoryLog().log })).close();

    const run = sandbox.spawn({
      command: process.execPath,
      args: [path.join(ROOT, 'dist/scripts/token.js'), 'list'],
      cwd: await sandbox.folder({ 'tokens.json': JSON.stringify(PEOPLE) }),
      env: { AUTH_TOKENS: '', TOKENS_FILE: '', DATABASE_URL: url },
    });
    const { code } = await waitForEnd(run);

    expect(code).toBe(0);
    expect(run.stderr()).toMatch(/^The last use of tokens cannot be read .* migration 1 of use .*[^.]\.\n/);
    expect(run.stderr()).not.toContain('    at ');
    expect(run.stdout()).toContain('tea');
  });

  test('are kept by days in UTC, for 30 days', async () => {
    let nowMs = START_MS;
    const url = await databases.create();
    const usage = createKeptUsage({
      open: async () => open(url),
      log: createMemoryLog().log,
      now: () => nowMs,
    });

    make('ada');
    await usage.refresh();
    nowMs += 120_000;
    make('ada');
    make('bob\0');
    await usage.refresh();
    const overnight = usage.callsOf('ada').slice(-2);
    nowMs += 29 * DAY_MS;
    make('bob');
    await usage.refresh();
    const later = [usage.callsOf('ada')[0], usage.lastUseOf('of-ada'), usage.callsOf('bob').at(-1)];
    nowMs += DAY_MS;
    make('bob');
    await usage.refresh();
    const database = await open(url);
    const kept = [...(await readUse(database, 0)).dayCalls()].map(({ userId, calls }) => [userId, calls]);
    await Promise.all([usage.close(), database.close()]);

    expect(overnight).toEqual([1, 1]);
    expect(later).toEqual([1, '2026-06-02T00:01:00.000Z', 1]);
    expect(kept).toEqual([
      ['bob', 1],
      ['bob', 1],
    ]);
  });

  test('are added once when a batch is sent twice', async () => {
    const database = await open(await databases.create());
    const counts = new UseCounts();
    counts.noteCall({ userId: 'ada', tokenId: 'a' }, START_MS);
    const batch = { writer: 'one', number: 1, today: Math.floor(START_MS / DAY_MS), counts };

    await addUse(database, batch);
    await addUse(database, batch);
    await addUse(database, { ...batch, number: 2 });
    await addUse(database, { ...batch, writer: 'other' });

    expect([...(await readUse(database, batch.today)).dayCalls()]).toMatchObject([{ calls: 3 }]);
    await database.close();
  });

  test('stay in memory while the database is unavailable, which is logged once', async () => {
    const url = await databases.create();
    const { log, lines } = createMemoryLog();
    const usage = createKeptUsage({ open: async () => open(url), log });
    make('ada');
    await usage.refresh();

    await databases.takeAway();
    await eventually(async () => {
      make('ada');
      await usage.refresh();
      return usage.words.includes('cannot be reached');
    });
    await usage.refresh();
    const away = usage.callsOf('ada').at(-1);
    await databases.giveBack();
    await eventually(async () => {
      await usage.refresh();
      return !usage.words.includes('cannot be reached');
    });
    const back = usage.callsOf('ada').at(-1);
    await usage.close();

    expect(away).toBeGreaterThan(1);
    expect(back).toBe(away);
    expect(lines.map(({ msg }) => msg)).toEqual([
      'counts of use cannot be saved at the moment; they are kept in memory',
      'counts of use are saved again',
    ]);
    expect(lines[0]?.['reason']).toMatch(/^[A-Za-z0-9_]+$/);
    expect(lines[0]?.['reason']).not.toMatch(/Error|Storage/);
  }, 60_000);

  test('that are lost at the end of the process are logged', async () => {
    const url = await databases.create();
    const { log, lines } = createMemoryLog();
    await databases.takeAway();
    const usage = createKeptUsage({ open: async () => open(url), log });
    make('ada');

    await usage.close();
    await databases.giveBack();

    expect(lines.at(-1)?.['msg']).toBe('the last counts of use are lost: the database could not be reached');
  }, 60_000);
});

test('counts of use forget the token and user that were used longest ago, and only when there are too many', () => {
  const counts = new UseCounts();
  const use = (name: string): void => counts.noteCall({ userId: name, tokenId: name }, START_MS);
  const today = Math.floor(START_MS / DAY_MS);
  const known = (...names: readonly string[]): unknown[] =>
    names.map((name) => [counts.lastUseOf(name), counts.callsOf(name, today).at(-1)]);
  const many = (letter: string): void => {
    for (let count = 0; count < MAX_NAMES; count += 1) use(`${letter}${count}`);
  };

  many('u');
  use('late');
  use('u0');
  const before = known('u0', 'u1', 'late');
  many('v');
  const after = known('u0', 'u1', 'late', `v${MAX_NAMES - 1}`);

  expect(before).toEqual([
    [START_MS, 2],
    [START_MS, 1],
    [START_MS, 1],
  ]);
  expect(after).toEqual([
    [START_MS, 2],
    [undefined, 0],
    [START_MS, 1],
    [START_MS, 1],
  ]);
  expect([...counts.uses()].filter(({ tokenId }) => tokenId === 'u0')).toHaveLength(1);
});

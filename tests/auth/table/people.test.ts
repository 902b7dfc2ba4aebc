/** The API for admins and the command, with tokens in a database: two servers and two admins at once, many users at once, and a lost database. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { openDatabaseTokens } from '../../../src/auth/table/database-tokens.ts';
import { editTokenTable, openTokenDatabase } from '../../../src/auth/table/token-table.ts';
import { digestToken } from '../../../src/auth/digest.ts';
import { createUserContext } from '../../../src/auth/user.ts';
import { parseConfig } from '../../../src/config/config.ts';
import { unreachable, unsure } from '../../../src/storage/errors.ts';
import { describeForBoth, type TestDatabases } from '../../support/databases.ts';
import { builtFile, createSandbox, waitForEnd } from '../../support/process.ts';
import { type Answer, eventually, send } from '../../support/raw-http.ts';
import { startTestServer, type TestServer } from '../../support/start-server.ts';

const FIRST = 'the-first-admin-token-of-20';

/** A token that was created. */
interface Made {
  readonly id: string;
  readonly userId: string;
  readonly token: string;
}

/** Sends a request to the API as an admin; with a body, by POST. */
async function ask(
  server: TestServer,
  path: string,
  { body, token = FIRST }: { readonly body?: object; readonly token?: string } = {},
): Promise<Answer> {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
  return send(`${server.url}/admin/api/${path}`, {
    headers,
    ...(body && { method: 'POST', body: JSON.stringify(body) }),
  });
}

/** The tokens that were created. */
function madeIn({ body }: Answer): Made[] {
  return (body as { tokens: Made[] }).tokens;
}

/** The status of a request with this token. */
async function statusOf(server: TestServer, token: string): Promise<number> {
  return (await send(`${server.url}/tools`, { headers: { Authorization: `Bearer ${token}` } })).status;
}

/** The users that a server lists. */
async function usersOf(server: TestServer): Promise<string[]> {
  const { body } = await ask(server, 'people');
  return (body as { tokens: { userId: string }[] }).tokens.map(({ userId }) => userId);
}

describeForBoth('people in a database', (startDatabases) => {
  const sandbox = createSandbox();
  let databases: TestDatabases;
  let url: string;
  let one: TestServer;
  let other: TestServer;
  beforeAll(async () => {
    databases = await startDatabases(sandbox);
    url = await databases.create();
    const env = { TOKENS_STORE: 'database', DATABASE_URL: url, TOKENS_FILE: '', ADMIN_TOKEN: FIRST };
    [one, other] = [await startTestServer({ env }), await startTestServer({ env })];
  }, 60_000);
  afterAll(async () => {
    await Promise.all([one.close(), other.close()]);
    await sandbox.close();
  });

  /** Runs the command with the database. */
  const command = async (...args: readonly string[]) => {
    const env = { TOKENS_STORE: 'database', DATABASE_URL: url };
    const run = sandbox.spawn({
      args: [builtFile('scripts/token.js'), ...args],
      cwd: await sandbox.folder(),
      env,
    });
    run.child.stdin.end();
    const { code } = await waitForEnd(run, { timeoutMs: 20_000 });
    if (code !== 0) throw new Error(`token ${args[0]} ended with ${code}: ${run.stderr()}`);
    return run.stdout();
  };

  test('500 tokens created at once work on both servers, and are not created twice', async () => {
    const lines = Array.from({ length: 500 }, (_, index) => `u${index},"User, ${index}",greet,2099-01-01`);

    const answer = await ask(one, 'tokens', { body: { table: lines.join('\n') } });
    const again = await ask(other, 'tokens', { body: { table: lines.join('\n') } });

    const made = madeIn(answer);
    const last = made.at(-1)?.token ?? '';
    expect(new Set(made.map(({ token }) => token)).size).toBe(500);
    expect(again.body).toMatchObject({ tokens: [], skipped: 500 });
    expect(await statusOf(one, last)).toBe(200);
    await eventually(async () => (await statusOf(other, last)) === 200);
    expect((await usersOf(other)).filter((user) => /^u\d+$/.test(user))).toHaveLength(500);
    expect(JSON.stringify([one.lines, other.lines])).not.toContain(last);
  });

  test('concurrent changes by two admins on two servers and the command lose nothing', async () => {
    const second = madeIn(
      await ask(one, 'tokens', { body: { people: [{ user: 'head', scopes: 'admin' }] } }),
    )[0]?.token;
    await eventually(async () => (await statusOf(other, second ?? '')) === 200);

    const byAdmins = Array.from({ length: 10 }, async (_, index) =>
      ask(index % 2 === 0 ? one : other, 'tokens', {
        body: { people: [{ user: `new${index}` }] },
        ...(index % 2 === 1 && second !== undefined && { token: second }),
      }),
    );
    const [answers, printed] = await Promise.all([
      Promise.all(byAdmins),
      command('create', '--user', 'by-command', '--json'),
    ]);

    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
    expect(await usersOf(one)).toEqual(
      expect.arrayContaining(['by-command', ...byAdmins.map((_, index) => `new${index}`)]),
    );
    const { token } = JSON.parse(printed) as Made;
    await eventually(async () => (await statusOf(one, token)) === 200);
    await eventually(async () => (await statusOf(other, token)) === 200);
  });

  test('a token that the command revokes is refused by every server, and one that an admin rotates works on every server', async () => {
    const [made] = madeIn(await ask(one, 'tokens', { body: { people: [{ user: 'rose' }] } }));
    const rotated = await ask(other, 'tokens/change', { body: { action: 'rotate', ids: [made?.id] } });
    const next = madeIn(rotated)[0];
    await eventually(async () => (await statusOf(one, next?.token ?? '')) === 200);

    await command('revoke', next?.id ?? '');
    await eventually(async () => (await statusOf(one, next?.token ?? '')) === 401);
    await eventually(async () => (await statusOf(other, next?.token ?? '')) === 401);

    expect(await statusOf(other, made?.token ?? '')).toBe(200);
    expect(await command('list')).toContain('rose');
  });

  test('a change that is written but that the server cannot load yet says so, and applies when it can', async () => {
    const own = await databases.create();
    const env = { TOKENS_STORE: 'database', DATABASE_URL: own, TOKENS_FILE: '', ADMIN_TOKEN: FIRST };
    const { storage } = parseConfig(env);
    const log = pino({ level: 'silent' });
    const database = await openTokenDatabase(storage, log);
    const user = createUserContext({ userId: 'admin', scopes: ['admin'] });
    const extraEntries = [{ digest: digestToken(FIRST), user, disabled: false }];
    const verifier = await openDatabaseTokens({
      database,
      log,
      extraEntries,
      weakTokens: 'refuse',
      pollMs: 20,
    });
    const server = await startTestServer({ env, verifier });
    const add = async (name: string): Promise<Answer> =>
      ask(server, 'tokens', { body: { people: [{ user: name }] } });
    const disable = async (id = ''): Promise<Answer> =>
      ask(server, 'tokens/change', { body: { action: 'disable', ids: [id] } });
    const [{ query }, ada] = [database, madeIn(await add('ada'))[0]];
    const published = digestToken('tok_test1_abc123');

    // The database is lost with the commit: what is written cannot be read.
    const transaction = database.transaction.bind(database);
    database.transaction = async (work) => {
      const result = await transaction(work);
      database.query = async () => Promise.reject(unreachable('ECONNREFUSED'));
      return result;
    };
    const created = await add('bob');
    const disabled = await disable(ada?.id);
    const bob = madeIn(created)[0]?.token ?? '';
    const meanwhile = [await statusOf(server, ada?.token ?? ''), await statusOf(server, bob)];
    Object.assign(database, { query, transaction });
    await eventually(async () => (await statusOf(server, bob)) === 200);
    const after = await statusOf(server, ada?.token ?? '');
    await editTokenTable(database, () => ({
      edits: { add: [{ digest: published, fields: { userId: 'eve' } }] },
      result: undefined,
    }));
    const refused = await disable(digestToken(bob));
    const mended = await disable(published);
    const ended = await statusOf(server, bob);
    await server.close();
    await verifier.close();

    const away = expect.stringMatching(
      /^The change is written, but not in force: .* cannot be read at the moment\./,
    );
    expect(created).toMatchObject({ status: 201, body: { warning: away } });
    expect(disabled).toMatchObject({ status: 409, body: { error: 'not_in_force', error_description: away } });
    expect([...meanwhile, after]).toEqual([200, 503, 401]);
    expect(refused).toMatchObject({ status: 409, body: { error: 'not_in_force' } });
    expect(refused.text).toContain('The database has a fault: entry 3 is a token of');
    expect([mended.status, ended]).toEqual([200, 401]);
  }, 60_000);

  test('a change whose commit is uncertain is 503 "unsure" without Retry-After', async () => {
    const { storage } = parseConfig({ TOKENS_STORE: 'database', DATABASE_URL: await databases.create() });
    const log = pino({ level: 'silent' });
    const database = await openTokenDatabase(storage, log);
    const user = createUserContext({ userId: 'admin', scopes: ['admin'] });
    const extraEntries = [{ digest: digestToken(FIRST), user, disabled: false }];
    const verifier = await openDatabaseTokens({ database, log, extraEntries });
    const server = await startTestServer({ verifier, env: { TOKENS_STORE: 'database', TOKENS_FILE: '' } });
    const transaction = database.transaction.bind(database);
    database.transaction = async (work) => {
      await transaction(work);
      throw unsure('ECONNRESET');
    };

    const answer = await ask(server, 'tokens', { body: { people: [{ user: 'ada' }] } });
    const users = await usersOf(server);
    await server.close();
    await verifier.close();

    const error_description = expect.stringContaining(
      'may be written or not. Check what is there',
    ) as unknown;
    expect(answer).toMatchObject({ status: 503, body: { error: 'unsure', error_description } });
    expect(answer.headers.get('retry-after')).toBeNull();
    expect(users).toEqual(['ada']);
  });

  test('without the database the last good tokens are valid, and a change is refused', async () => {
    const [made] = madeIn(await ask(one, 'tokens', { body: { people: [{ user: 'late' }] } }));
    await databases.takeAway();

    const change = async (): Promise<Answer> => ask(one, 'tokens', { body: { people: [{ user: 'later' }] } });
    // A file that has been moved away is noticed when it is read.
    await eventually(async () => (await ask(one, 'people')).status === 503);
    const refused = await change();

    expect(refused.body).toMatchObject({ error: 'tokens_unavailable' });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.text).not.toMatch(/sqlite|postgres|p4ssw0rd|test_1/i);
    expect(await statusOf(one, made?.token ?? '')).toBe(200);
    await databases.giveBack();
    await eventually(async () => (await change()).status === 201);
    expect(await usersOf(one)).toContain('later');
  }, 60_000);
});

/** The API for admins: who may, what it does to the token file, and that nothing is lost or told that should not be. */
import { existsSync, rmSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { digestToken } from '../../../src/auth/digest.ts';
import { parseTokens } from '../../../src/auth/tokens/parse-tokens.ts';
import { openTokenFile } from '../../../src/auth/tokens/token-file.ts';
import { openTokenStore } from '../../../src/auth/tokens/token-store.ts';
import { createFilePeople } from '../../../src/http/admin/people.ts';
import { adminPageLines } from '../../../scripts/token/admin-page.ts';
import { connectClient } from '../../support/clients.ts';
import { testEach, testInCi } from '../../support/in-ci.ts';
import { createMemoryLog } from '../../support/memory-log.ts';
import { type Answer, send } from '../../support/raw-http.ts';
import { longestTurnOf, timeAtOnce } from '../../support/longest-turn.ts';
import { ADA, BOB, GREETER, startTestServer, TOKENS, type TestServer } from '../../support/start-server.ts';
import { createTokensOutOfReach } from '../../support/tokens-out-of-reach.ts';

const ADMIN = 'tok_admin_0123456789';
const SECOND = 'tok_second_admin_0123456789';
const PEOPLE = {
  ...TOKENS,
  [ADMIN]: { userId: 'tea', name: 'Ms Teacher', scopes: ['admin'] },
  [SECOND]: { userId: 'head', name: 'Head', scopes: ['admin', 'greet'] },
};

/** A token as the list has it. */
interface Facts {
  readonly id: string;
  readonly userId: string;
  readonly version: string;
  readonly state: string;
  readonly scopes: readonly string[] | null;
  readonly expiresAt: string | null;
}

/** A token that was made. */
interface Made {
  readonly id: string;
  readonly userId: string;
  readonly token: string;
  readonly link: string;
}

let server: TestServer;
beforeEach(async () => {
  server ??= await startTestServer({ tokens: PEOPLE });
  await server.writeTokens(PEOPLE);
});
afterAll(async () => server.close());

/** Asks the API as somebody; with a body by POST. */
async function ask(path: string, body?: unknown, token: string | undefined = ADMIN): Promise<Answer> {
  return send(`${server.url}/admin/api/${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      ...(token !== '' && { Authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

/** The tokens of a user, as the list has them. */
async function tokensOf(userId: string): Promise<Facts[]> {
  const { body } = await ask('people');
  return (body as { tokens: Facts[] }).tokens.filter((token) => token.userId === userId);
}

/** The tokens that were made. */
function madeIn({ body }: Answer): Made[] {
  return (body as { tokens: Made[] }).tokens;
}

/** The status of a call to a protected route with a token. */
async function statusWith(token: string): Promise<number> {
  return (await send(`${server.url}/tools`, { headers: { Authorization: `Bearer ${token}` } })).status;
}

describe('every route', () => {
  const ROUTES = ['people', 'tokens', 'tokens/change', 'sessions', 'sessions/end', 'anything/else'];
  const cases = ROUTES.flatMap((path) => ['GET', 'POST', 'PUT', 'DELETE'].map((method) => [method, path]));

  test.each(cases)('%s %s refuses whoever is no admin', async (method, path) => {
    const as = async (token?: string): Promise<Answer> =>
      send(`${server.url}/admin/api/${path}`, {
        method: method ?? 'GET',
        headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
      });

    const [nobody, wrong, allTools, someScopes] = await Promise.all([
      as(),
      as('tok_wrong_0123456789'),
      as(ADA),
      as(GREETER),
    ]);

    expect([nobody, wrong, allTools, someScopes].map(({ status }) => status)).toEqual([401, 401, 403, 403]);
    expect(allTools.body).toMatchObject({ error: 'insufficient_scope' });
  });

  test.each(['', '/admin.js', '/qrcode.js'])(
    'GET /admin%s is for browsers, and refuses a token that is no admin’s',
    async (path) => {
      const as = async (token?: string): Promise<number> => {
        const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
        return (await send(`${server.url}/admin${path}`, { headers })).status;
      };

      expect(await Promise.all([as(), as(ADMIN), as(ADA), as('tok_wrong_0123456789')])).toEqual([
        200, 200, 403, 401,
      ]);
    },
  );
});

/** What a token is challenged with at a path. */
async function challengeOf(path: string, token: string): Promise<string | null> {
  return (await send(server.url + path, { token })).headers.get('www-authenticate');
}

test('a token that is refused at the page is challenged as everywhere, and says what it lacks', async () => {
  const [wrong, elsewhere] = [await challengeOf('/admin', 'tok_a'), await challengeOf('/tools', 'tok_a')];
  const lacking = [await challengeOf('/admin', ADA), await challengeOf('/admin/api/people', ADA)];

  expect(wrong).toMatch(/^Bearer realm="mcp", error="invalid_token", error_description="[^"]+"$/);
  expect(wrong).toBe(elsewhere);
  expect(lacking[0]).toMatch(
    /^Bearer realm="mcp", error="insufficient_scope", error_description="[^"]*'admin'[^"]*", scope="admin"$/,
  );
  expect(lacking[1]).toBe(lacking[0]);
});

test('guessing at the page is limited as everywhere, and where nobody can tell, nothing is refused or counted', async () => {
  const tokens = createTokensOutOfReach(PEOPLE);
  const limited = await startTestServer({ verifier: tokens, env: { AUTH_FAILURES_PER_MINUTE: '1' } });
  const visit = async (path: string, token?: string): Promise<Answer> =>
    send(limited.url + path, token === undefined ? {} : { token });

  tokens.isAway = true;
  const meanwhile = [
    await visit('/admin', ADMIN),
    await visit('/admin/admin.js', 'tok_some_0123456789'),
    await visit('/admin/api/people', ADMIN),
  ];
  const browser = await visit('/admin');
  tokens.isAway = false;
  const after = [
    await visit('/admin', 'tok_wrong_0123456789'),
    await visit('/admin/admin.js', 'tok_other_0123456789'),
    await visit('/admin', ADMIN),
  ];
  await limited.close();

  for (const { status, headers } of meanwhile)
    expect([status, headers.get('retry-after'), headers.get('www-authenticate')]).toEqual([503, '5', null]);
  expect(browser.status).toBe(200);
  expect(after.map(({ status }) => status)).toEqual([401, 429, 200]);
});

test('the list has everybody, and no token and no digest', async () => {
  const { body, text } = await ask('people');

  const { tokens, store, scopes } = body as { tokens: Facts[]; store: object; scopes: string[] };
  expect(store).toEqual({ kind: 'file', fixedBecause: null });
  expect(scopes).toContain('greet');
  expect(tokens.map(({ userId }) => userId)).toEqual(['ada', 'bob', 'greta', 'old', 'off', 'tea', 'head']);
  expect(tokens.map(({ state }) => state)).toContain('expired');
  expect(Object.keys(PEOPLE).filter((token) => text.includes(token))).toEqual([]);
  expect(text).not.toMatch(/[0-9a-f]{64}/);
});

test('a token that is made lets its user in at once, stands in the file by its digest, and in the log by its id', async () => {
  const answer = await ask('tokens', {
    people: [{ user: 'zoe', name: 'Zoë', scopes: 'greet', expires: '90d' }],
  });

  const [made] = madeIn(answer);
  expect(answer.status).toBe(201);
  expect(made?.link).toBe(`${server.url}/#token=${made?.token}`);
  expect(await statusWith(made?.token ?? '')).toBe(200);
  expect(await tokensOf('zoe')).toMatchObject([{ scopes: ['greet'], state: 'valid', id: made?.id }]);
  expect(await readFile(server.tokensPath, 'utf8')).not.toContain(made?.token ?? '-');
  const line = server.lines.findLast(({ msg }) => msg === 'changed by an admin');
  expect(line).toMatchObject({ admin: 'tea', action: 'create', tokenIds: [made?.id] });
  expect(JSON.stringify(server.lines)).not.toContain(made?.token ?? '-');
});

test('whoever makes a token for it is told its address', () => {
  expect(adminPageLines('https://my-app.example', ['greet', 'admin'])).toContain(
    '  https://my-app.example/admin',
  );
  expect(adminPageLines('https://my-app.example', undefined)).toEqual([]);
});

test('a user whose name no page could show is refused', async () => {
  const { status, body } = await ask('tokens', { people: [{ user: 'a\nb' }] });

  expect({ status, body }).toMatchObject({
    status: 400,
    body: { error_description: expect.stringContaining('must not hold control characters') as unknown },
  });
});

test('a table of 500 makes a token for all who have none, in one change', async () => {
  const lines = Array.from({ length: 500 }, (_, index) => `u${index};"User, ${index}";greet echo;2099-01-01`);
  const table = ['user;name;scopes;expires', 'ada;Ada;;', ...lines].join('\r\n');

  const answer = await ask('tokens', { table });

  const made = madeIn(answer);
  expect(answer.body).toMatchObject({ skipped: 1 });
  expect(new Set(made.map(({ token }) => token)).size).toBe(500);
  expect(await tokensOf('u499')).toMatchObject([
    { scopes: ['greet', 'echo'], expiresAt: '2099-01-01T00:00:00Z' },
  ]);
  expect(await statusWith(made[499]?.token ?? '')).toBe(200);
});

test('two admins, and the command, lose nothing of what they do at the same time', async () => {
  const byAdmins = Array.from({ length: 10 }, async (_, index) =>
    ask('tokens', { people: [{ user: `new${index}` }] }, index % 2 === 0 ? ADMIN : SECOND),
  );
  const byCommand = openTokenStore(server.tokensPath).edit(
    () => ({ edits: { add: [{ digest: 'a'.repeat(64), fields: { userId: 'by-command' } }] }, result: {} }),
    { create: false },
  );

  const answers = await Promise.all(byAdmins);
  await byCommand;

  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 201));
  const { body } = await ask('people');
  const users = (body as { tokens: Facts[] }).tokens.map(({ userId }) => userId);
  expect(users).toEqual(expect.arrayContaining(['by-command', ...byAdmins.map((_, index) => `new${index}`)]));
});

testEach([
  ['a user twice', { table: 'a\nb\na' }, 'names a twice'],
  ['a column that is none', { table: 'user,shoe\na,43' }, 'none of user, name, scopes, expires'],
  ['an end that is over', { table: 'a,,,2001-01-01' }, 'a date to come'],
  ['an end that each machine reads otherwise', { table: 'a,,,06/30/2099' }, 'a date to come'],
  [
    'a line too long behind empty ones',
    { table: 'user\n\na\n\nb,B' },
    'Line 5 is not a user, or has too many',
  ],
  ['an open quote', { table: 'a,"b' }, 'not closed'],
  ['a scope that is none', { people: [{ user: 'a', scopes: '"x"' }] }, 'without spaces or quotes'],
  ['nobody', { people: [] }, 'not as expected: people must have at least 1 entry.'],
  ['something else', { peeple: [] }, 'not as expected: people must be a list.'],
  [
    'a field too much',
    { people: [{ user: 'a' }], table: 'a' },
    'as expected: It has the unknown field "table".',
  ],
  ['a list', [], 'not as expected: It must be an object.'],
  ['null', null, 'not as expected: It must be an object.'],
  ['a text for people', { people: 'a' }, 'not as expected: people must be a list.'],
  ['a person without a user', { people: [{}] }, 'not as expected: people[0].user must be a text.'],
  ['a number for a user', { people: [{ user: 5 }] }, 'not as expected: people[0].user must be a text.'],
  ['an empty user', { people: [{ user: ' ' }] }, 'not as expected: people[0].user must not be empty.'],
  ['an empty table', { table: '' }, 'not as expected: table must not be empty.'],
  [
    'a long user',
    { people: [{ user: 'u'.repeat(201) }] },
    'people[0].user must have at most 200 characters.',
  ],
] as const)('%s is a 400 in words, and changes nothing', async (_what, body, words) => {
  const before = await readFile(server.tokensPath, 'utf8');

  const answer = await ask('tokens', body);

  expect(answer.status).toBe(400);
  expect((answer.body as { error_description: string }).error_description).toContain(words);
  expect(await readFile(server.tokensPath, 'utf8')).toBe(before);
});

testEach([
  ['nothing that is known', { action: 'burn', ids: ['0a0a0a0a'] }, 'action must be one of disable, enable, '],
  ['an id that is none', { action: 'disable', ids: ['X'] }, 'ids[0] has not the form that is expected.'],
  ['no body', undefined, 'The body is empty; send JSON.'],
] as const)('a change with %s is a 400 in words', async (_what, body, words) => {
  const headers = { Authorization: `Bearer ${ADMIN}`, 'Content-Type': 'application/json' };
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };

  const answer = await fetch(`${server.url}/admin/api/tokens/change`, { method: 'POST', headers, ...sent });

  expect(answer.status).toBe(400);
  expect(await answer.text()).toContain(words);
});

test('tokens are disabled, enabled, ended, signed out and removed', async () => {
  const [{ id } = { id: '' }] = await tokensOf('bob');
  const bob = 'tok_bob_0123456789';
  const after = async (action: string, extra = {}): Promise<number> => {
    const { status } = await ask('tokens/change', { action, ids: [id], ...extra });
    expect(status).toBe(200);
    return statusWith(bob);
  };

  expect(await after('disable')).toBe(401);
  expect(await after('enable')).toBe(200);
  expect(await after('sign-out')).toBe(200);
  expect(await readFile(server.tokensPath, 'utf8')).toContain('signInsSince');
  expect(await after('edit', { name: 'Robert', scopes: 'none', expires: '2099-01-01' })).toBe(200);
  expect(await tokensOf('bob')).toMatchObject([
    { scopes: [], expiresAt: '2099-01-01T00:00:00Z', name: 'Robert' },
  ]);
  expect(await after('expire')).toBe(401);
  expect(await after('expire', { expires: 'never' })).toBe(200);
  expect(await after('remove')).toBe(401);
  expect((await ask('tokens/change', { action: 'remove', ids: [id] })).status).toBe(404);
});

test('of two admins who edit one person at once the second is told, and what each has altered stays', async () => {
  const [seen] = await tokensOf('greta');
  const edit = async (body: object, token?: string): Promise<Answer> =>
    ask('tokens/change', { action: 'edit', ids: [seen?.id], ...body }, token);

  const first = await edit({ version: seen?.version, name: 'Greta Garbo' });
  const second = await edit({ version: seen?.version, scopes: 'greet echo' }, SECOND);
  const [latest] = await tokensOf('greta');
  const again = await edit({ version: latest?.version, scopes: 'greet echo' }, SECOND);
  const unnamed = await edit({ name: ' ' });

  expect([first, second, again, unnamed].map(({ status }) => status)).toEqual([200, 409, 200, 200]);
  expect(second.body).toMatchObject({ error: 'changed_meanwhile' });
  expect(latest).toMatchObject({ name: 'Greta Garbo', scopes: ['greet'] });
  expect(await tokensOf('greta')).toMatchObject([{ name: 'greta', scopes: ['greet', 'echo'] }]);
});

test('a token is replaced by another one, and works for a day beside it', async () => {
  const [{ id } = { id: '' }] = await tokensOf('greta');

  const answer = await ask('tokens/change', { action: 'rotate', ids: [id] });

  const [made] = madeIn(answer);
  expect(await Promise.all([statusWith(GREETER), statusWith(made?.token ?? '')])).toEqual([200, 200]);
  expect(await tokensOf('greta')).toMatchObject([{ state: 'valid' }, { scopes: ['greet'], expiresAt: null }]);
  expect((await ask('tokens/change', { action: 'rotate', ids: [id] })).status).toBe(409);
});

test('the successor is held to what its predecessor was', async () => {
  const limited = { userId: 'lim', limit: 2, scopes: ['greet'], metadata: { course: 'ink' } };
  await server.writeTokens({ ...PEOPLE, tok_limited_0123456789: limited });
  const [{ id } = { id: '' }] = await tokensOf('lim');

  const [made] = madeIn(await ask('tokens/change', { action: 'rotate', ids: [id] }));

  const file = JSON.parse(await readFile(server.tokensPath, 'utf8')) as Record<string, object>;
  const { userId, ...held } = limited;
  expect(file[`sha256:${digestToken(made?.token ?? '')}`]).toMatchObject({ userId, ...held });
});

test('a token that has expired gets no successor that is as dead', async () => {
  const [{ id } = { id: '' }] = await tokensOf('old');

  const answer = await ask('tokens/change', { action: 'rotate', ids: [id] });

  expect(answer).toMatchObject({ status: 409, body: { error: 'not_rotatable' } });
  expect(JSON.stringify(answer.body)).toContain('A token of old has expired.');
});

test('all tokens that get no successor are named at once', async () => {
  const disabled = Object.fromEntries(
    Array.from({ length: 12 }, (_, index) => [
      `tok_disabled_${index}_0123456789`,
      { userId: `off${index}`, disabled: true },
    ]),
  );
  await server.writeTokens({ ...PEOPLE, ...disabled });
  const ids = Object.keys(disabled).map((token) => digestToken(token).slice(0, 8));

  const answer = await ask('tokens/change', { action: 'rotate', ids });

  expect(answer).toMatchObject({ status: 409, body: { error: 'not_rotatable' } });
  expect(JSON.stringify(answer.body)).toMatch(
    /A token of off0, off1, .*off9 and of 2 more is disabled, or has been replaced\./,
  );
});

test('where there is no token file yet nobody is in it, and the first who is added makes it', async () => {
  const file = join(dirname(server.tokensPath), 'first.json');
  const people = createFilePeople(file, { takeOver: async () => undefined, hasRead: () => false });

  const before = await people.read();
  await people.edit(() => ({
    edits: { add: [{ digest: digestToken(ADA), fields: { userId: 'ada' } }] },
    result: undefined,
  }));

  expect(before).toEqual([]);
  expect(await people.read()).toMatchObject([{ user: { userId: 'ada' } }]);
});

test('a change that the server does not take over is no success, and counts as soon as what keeps it is mended', async () => {
  const strict = await startTestServer({
    tokens: { [ADMIN]: PEOPLE[ADMIN] ?? {}, tok_stolen_of_bob_0123456789: { userId: 'bob' } },
    weakTokens: 'refuse',
  });
  const [stolen, weak] = [digestToken('tok_stolen_of_bob_0123456789'), digestToken('tok_short')];
  const disable = async (digest: string): Promise<Answer> =>
    send(`${strict.url}/admin/api/tokens/change`, {
      token: ADMIN,
      body: { action: 'disable', ids: [digest.slice(0, 8)] },
    });
  const statusOfStolen = async (): Promise<number> =>
    (await send(`${strict.url}/tools`, { token: 'tok_stolen_of_bob_0123456789' })).status;
  const written = await readFile(strict.tokensPath, 'utf8');
  await strict.writeTokens(`${written.slice(0, -1)},"tok_short":{"userId":"eve"}}`);

  const refused = await disable(stolen);
  const meanwhile = await statusOfStolen();
  const mended = await disable(weak);
  const after = await statusOfStolen();
  await strict.close();

  expect(refused).toMatchObject({ status: 409, body: { error: 'not_in_force' } });
  expect(JSON.stringify(refused.body)).toContain('entry 3 is a token of fewer than 20 characters');
  expect([meanwhile, mended.status, after]).toEqual([200, 200, 401]);
  expect(strict.lines.filter(({ msg }) => msg === 'changed by an admin')).toHaveLength(2);
});

test('links of tokens that do not count yet are told with a warning, and work once what keeps them from it is mended', async () => {
  const strict = await startTestServer({
    tokens: { [ADMIN]: PEOPLE[ADMIN] ?? {}, tok_old_of_bob_0123456789: { userId: 'bob' } },
    weakTokens: 'refuse',
  });
  const post = async (path: string, body: object): Promise<Answer> =>
    send(`${strict.url}/admin/api/${path}`, { token: ADMIN, body });
  const change = async (action: string, token: string): Promise<Answer> =>
    post('tokens/change', { action, ids: [digestToken(token).slice(0, 8)] });
  const written = await readFile(strict.tokensPath, 'utf8');
  await strict.writeTokens(`${written.slice(0, -1)},"tok_short":{"userId":"eve"}}`);

  const created = await post('tokens', { people: [{ user: 'zoe' }] });
  const rotated = await change('rotate', 'tok_old_of_bob_0123456789');
  const mended = await change('disable', 'tok_short');
  const answers = [created, rotated].map(({ body }) => body as { tokens: Made[]; warning?: string });
  const tokens = answers.flatMap((answer) => answer.tokens ?? []);
  const statuses = await Promise.all(
    tokens.map(async ({ token }) => (await send(`${strict.url}/tools`, { token })).status),
  );
  await strict.close();

  expect([created.status, rotated.status, mended.status]).toEqual([201, 200, 200]);
  const warning = expect.stringContaining('entry 3 is a token of fewer than 20 characters') as unknown;
  expect(answers).toMatchObject([{ warning }, { warning }]);
  expect(mended.body).not.toHaveProperty('warning');
  expect(statuses).toEqual([200, 200]);
});

test('a file that is gone is not made anew, which would end every token that is in force', async () => {
  const follower = await startTestServer({ tokens: PEOPLE });
  const at = async (path: string, body?: object): Promise<Answer> =>
    send(`${follower.url}/admin/api/${path}`, { token: ADMIN, ...(body && { body }) });
  await rm(follower.tokensPath);

  const answers = [await at('people'), await at('tokens', { people: [{ user: 'zoe' }] })];
  const isMade = existsSync(follower.tokensPath);
  await follower.writeTokens(PEOPLE);
  const back = await at('tokens', { people: [{ user: 'zoe' }] });
  await follower.close();

  const error_description = expect.stringContaining('Put it back where it was') as unknown;
  const gone = { status: 503, body: { error: 'tokens_unavailable', error_description } };
  expect(answers).toMatchObject([gone, gone]);
  expect(isMade).toBe(false);
  expect(back.status).toBe(201);
});

test('a file that is taken away when it has been written, or meanwhile, is told of in words that fit', async () => {
  const at = join(dirname(server.tokensPath), 'fleeting.json');
  await writeFile(at, JSON.stringify(PEOPLE));
  const file = await openTokenFile({ path: at, log: createMemoryLog().log });
  const takeOver = async (): Promise<string | undefined> => {
    await rm(at);
    return file.reload();
  };
  const people = createFilePeople(at, { takeOver, hasRead: () => true });

  const { problem } = await people.edit(() => ({
    edits: { add: [{ digest: digestToken('tok_zoe_0123456789'), fields: { userId: 'zoe' } }] },
    result: undefined,
  }));
  await writeFile(at, JSON.stringify(PEOPLE));
  const meanwhile = people.edit(() => {
    rmSync(at);
    return { edits: {}, result: undefined };
  });

  await expect(meanwhile).rejects.toMatchObject({
    status: 503,
    code: 'unsure',
    message: expect.stringMatching(/^fleeting\.json was taken away while .* Look what is there/) as unknown,
    headers: {},
  });
  expect(problem).toMatch(/^The token file was taken away .* Put it back where it was/);
  file.close();
});

test('a token that is named twice is rotated once', async () => {
  const [{ id } = { id: '' }] = await tokensOf('bob');

  const answer = await ask('tokens/change', { action: 'rotate', ids: [id, id, digestToken(BOB)] });

  expect(answer.body).toMatchObject({ changed: [{ userId: 'bob' }] });
  expect(madeIn(answer)).toHaveLength(1);
  expect(await tokensOf('bob')).toHaveLength(2);
});

test('nobody takes their own admin token away', async () => {
  const [{ id } = { id: '' }] = await tokensOf('tea');

  const answers = await Promise.all(
    ['disable', 'remove', 'expire'].map(async (action) => ask('tokens/change', { action, ids: [id] })),
  );
  const edit = async (body: object): Promise<number> =>
    (await ask('tokens/change', { action: 'edit', ids: [id], ...body })).status;
  const edits = [
    await edit({ scopes: 'greet' }),
    await edit({ expires: '1d' }),
    await edit({ name: 'Teacher' }),
  ];

  expect(answers.map(({ status }) => status)).toEqual([409, 409, 409]);
  expect(edits).toEqual([409, 409, 200]);
});

test('who is connected is shown with client and transport, and can be sent away', async () => {
  const client = await connectClient('v2 http', { url: server.url, token: ADA });
  await client.listTools();

  const { body } = await ask('sessions');
  const { sessions } = body as {
    sessions: { session: string; userId: string; transport: string; client: string }[];
  };
  const ofAda = sessions.find(({ userId }) => userId === 'ada');
  const ended = await ask('sessions/end', { session: ofAda?.session });

  expect(ofAda?.transport).toBe('streamable-http');
  expect(ofAda?.client).toBe('test-v2 1.0.0');
  expect(ended.status).toBe(200);
  expect((await ask('sessions/end', { session: ofAda?.session })).status).toBe(404);
  await client.close().catch(() => undefined);
});

/** The longest turn of the event loop in the calmest of some runs, up to the first that keeps to a limit: a busy machine makes any turn longer. */
async function calmestTurnsOf(limitMs: number, work: (run: number) => Promise<void>) {
  let longestMs = Number.POSITIVE_INFINITY;
  let runs = 0;
  while (runs < 4 && longestMs >= limitMs) {
    const run = runs;
    longestMs = Math.min(longestMs, await longestTurnOf(async () => work(run)));
    runs += 1;
  }
  return { longestMs, runs };
}

testInCi(
  'among tens of thousands, a list, new tokens and a change of thousands keep nobody waiting',
  async () => {
    const ids = Array.from({ length: 20_000 }, (_, index) => index.toString(16).padStart(8, '0'));
    const many = ids.map(
      (id) => [`sha256:${id.padEnd(64, '0')}`, { userId: `u${id}`, scopes: ['greet'] }] as const,
    );
    const text = JSON.stringify({ ...Object.fromEntries(many), ...PEOPLE });
    await server.writeTokens(text);
    const statuses: number[] = [];
    const request = async (path: string, body?: object): Promise<void> => {
      const answer = await fetch(`${server.url}/admin/api/${path}`, {
        headers: { Authorization: `Bearer ${ADMIN}`, 'Content-Type': 'application/json' },
        ...(body && { method: 'POST', body: JSON.stringify(body) }),
      });
      statuses.push(answer.status);
      await answer.arrayBuffer();
    };

    // At once, each takes longer than that.
    const limitMs = timeAtOnce(() => parseTokens(text)) / 2;
    const listing = await calmestTurnsOf(limitMs, async () => request('people'));
    const making = await calmestTurnsOf(limitMs, async (run) =>
      request('tokens', { people: [{ user: `zoe${run}` }] }),
    );
    const changing = await calmestTurnsOf(limitMs, async (run) =>
      request('tokens/change', { action: 'disable', ids: ids.slice(3_000 * run, 3_000 * (run + 1)) }),
    );

    expect(statuses.filter((status) => status !== 200 && status !== 201)).toEqual([]);
    expect((await readFile(server.tokensPath, 'utf8')).match(/"disabled"/g)).toHaveLength(
      3_000 * changing.runs + 1,
    );
    for (const { longestMs } of [listing, making, changing]) expect(longestMs).toBeLessThan(limitMs);
  },
  60_000,
);

describe('with AUTH_TOKENS', () => {
  test('people are shown, and it is said why they cannot be changed', async () => {
    const fixed = await startTestServer({ env: { AUTH_TOKENS: JSON.stringify(PEOPLE), TOKENS_FILE: '' } });
    const call = async (path: string, body?: unknown): Promise<Answer> =>
      send(`${fixed.url}/admin/api/${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { Authorization: `Bearer ${ADMIN}`, 'Content-Type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });

    const list = await call('people');
    const made = await call('tokens', { people: [{ user: 'zoe' }] });
    await fixed.close();

    expect(list.body).toMatchObject({
      store: { kind: 'variable', fixedBecause: expect.stringContaining('AUTH_TOKENS') as unknown },
    });
    expect(made.status).toBe(409);
    expect(made.body).toMatchObject({ error: 'read_only' });
  });
});

test('without authentication there is no such page', async () => {
  const open = await startTestServer({ env: { AUTH_ENABLED: 'false' } });

  const statuses = await Promise.all(
    ['/admin', '/admin/api/people'].map(async (path) => (await send(`${open.url}${path}`)).status),
  );
  await open.close();

  expect(statuses).toEqual([404, 404]);
});

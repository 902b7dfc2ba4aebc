/** Where tokens come from: a text, a file, or one made for this run; and what is said when there are none. */
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  NoTokensError,
  type OpenTokens,
  openTokens,
  type TokenOptions,
} from '../../src/auth/tokens/open-tokens.ts';
import { TokenFileError } from '../../src/auth/tokens/token-file-error.ts';
import { openTokenStore } from '../../src/auth/tokens/token-store.ts';
import { weaknessOf } from '../../src/auth/tokens/weak-tokens.ts';
import { digestToken } from '../../src/auth/digest.ts';
import { createMemoryLog, type MemoryLog } from '../support/memory-log.ts';
import { createSandbox, ROOT, waitFor } from '../support/process.ts';

const TOKEN = 'tok_ada_0123456789';
const TEXT = JSON.stringify({ [TOKEN]: { userId: 'ada' } });

const sandbox = createSandbox();
const opened: OpenTokens[] = [];
let file: string;
let memory: MemoryLog;

beforeEach(async () => {
  file = path.join(await sandbox.folder(), 'tokens.json');
  memory = createMemoryLog();
});
afterEach(async () => {
  for (const tokens of opened.splice(0)) tokens.file?.close();
  await sandbox.close();
});

/** Opens the tokens of a source. */
async function open(
  source: TokenOptions['source'],
  { allowOneRunToken = false, ...options }: Partial<TokenOptions> = {},
): Promise<OpenTokens> {
  const tokens = await openTokens({ source, allowOneRunToken, log: memory.log, ...options });
  opened.push(tokens);
  return tokens;
}

/** The default file, which may be absent. */
function defaultFile() {
  return { kind: 'file', path: file, named: false } as const;
}

/** A file that the configuration names. */
function namedFile() {
  return { kind: 'file', path: file, named: true } as const;
}

/** The user id of a token, or why it is refused. */
async function userOf({ verifier }: OpenTokens, token: string): Promise<string> {
  const verification = await verifier.verify(token);
  return verification.ok ? verification.grant.user.userId : verification.reason;
}

describe('tokens given as a text', () => {
  test('are in force, without a file to follow', async () => {
    const tokens = await open({ kind: 'text', text: TEXT }, { allowOneRunToken: true });

    expect(await userOf(tokens, TOKEN)).toBe('ada');
    expect(Object.keys(tokens)).toEqual(['verifier']);
  });

  test.each([
    ['is broken', '{"tok_secret', 'AUTH_TOKENS: not valid JSON at line 1, column 2'],
    ['has a wrong entry', `{"${TOKEN}":{"user":"ada"}}`, 'AUTH_TOKENS: entry 1 needs "userId", a string'],
    ['holds no token', '{}', 'AUTH_TOKENS: holds no token'],
  ])('are refused by the name of the variable when the text %s', async (_case, text, message) => {
    const opening = open({ kind: 'text', text }, { allowOneRunToken: true });

    await expect(opening).rejects.toThrow(TokenFileError);
    await expect(opening).rejects.toThrow(message);
    await expect(opening).rejects.not.toThrow(TOKEN);
  });
});

describe('AUTH_TOKENS with a single bare token', () => {
  test.each(['mcp_0123456789-_0123456789', '!"#$%&()*+,-./:;<=>?@[]^_`|~', `  ${'x'.repeat(20)}\n`])(
    'opens every tool to the user "owner": %j',
    async (text) => {
      const tokens = await open({ kind: 'text', text }, { weakTokens: 'refuse' });

      const verification = await tokens.verifier.verify(text.trim());
      expect(verification).toMatchObject({ ok: true, grant: { user: { userId: 'owner', name: 'Owner' } } });
      expect(verification.ok && verification.grant.user.scopes).toBeUndefined();
      expect(memory.lines).toEqual([]);
    },
  );

  test.each([
    ['is too short', 'x'.repeat(19)],
    ['holds a space', `${'x'.repeat(20)} y`],
    ['holds a brace', `${'x'.repeat(20)}}`],
    ['holds a character that no header carries', 'tok_sécret_0123456789'],
    ['is a list of tokens', 'mcp_0123456789012345,{"a"}'],
  ])('that %s is refused with what the variable must hold, and not repeated', async (_case, text) => {
    const opening = open({ kind: 'text', text });

    await expect(opening).rejects.toThrow(TokenFileError);
    await expect(opening).rejects.toThrow(
      /^AUTH_TOKENS: must be what "npm run -s token -- export" prints.*20 or more printable ASCII/s,
    );
    await expect(opening).rejects.not.toThrow(text);
  });

  test.each(['%MY_LONG_VARIABLE_NAME%', '$MY_LONG_VARIABLE_NAME', '<put-your-token-here-please>'])(
    'that no client could send is refused: %s',
    async (text) => {
      await expect(open({ kind: 'text', text })).rejects.toThrow('is refused whenever a client sends it');
    },
  );
});

test('a file or text without tokens is accepted where callers can get in otherwise', async () => {
  await writeFile(file, '{}', { mode: 0o600 });

  for (const source of [namedFile(), { kind: 'text', text: '{}' } as const])
    expect(await userOf(await open(source, { mayBeNone: true }), TOKEN)).toBe('unknown');
});

test('where callers can get in otherwise, a named file that is missing is awaited, with a warning', async () => {
  const tokens = await open(namedFile(), { mayBeNone: true });

  await writeFile(file, TEXT, { mode: 0o600 });
  await tokens.file?.reload();

  expect(await userOf(tokens, TOKEN)).toBe('ada');
  expect(memory.lines).toContainEqual(
    expect.objectContaining({ level: 'warn', msg: 'the file of TOKENS_FILE is not there yet' }),
  );
});

describe('the token of ADMIN_TOKEN', () => {
  const ADMIN = 'mcp_admin_0123456789abcdef';
  const SAME = JSON.stringify({ [ADMIN]: { userId: 'eve', disabled: true }, [TOKEN]: { userId: 'ada' } });

  test.each([
    ['a file', TEXT],
    ['a file without a token', '{}'],
    ['a file that has the token too', SAME],
    ['no file', undefined],
  ])('is accepted from the start beside %s, and after the file has changed', async (_case, text) => {
    if (text !== undefined) await writeFile(file, text, { mode: 0o600 });
    const tokens = await open(defaultFile(), { adminToken: ADMIN });

    const atStart = await userOf(tokens, ADMIN);
    await writeFile(file, TEXT, { mode: 0o600 });
    await tokens.file?.reload();

    expect([atStart, await userOf(tokens, ADMIN), await userOf(tokens, TOKEN)]).toEqual([
      'admin',
      'admin',
      'ada',
    ]);
  });

  test('is accepted without the named file, as is the first user who is added to it', async () => {
    const tokens = await open(namedFile(), { adminToken: ADMIN });

    const atStart = await userOf(tokens, ADMIN);
    await openTokenStore(file).edit(
      () => ({
        edits: { add: [{ digest: digestToken(TOKEN), fields: { userId: 'ada' } }] },
        result: undefined,
      }),
      { create: true },
    );
    await tokens.file?.reload();

    expect([atStart, await userOf(tokens, ADMIN), await userOf(tokens, TOKEN)]).toEqual([
      'admin',
      'admin',
      'ada',
    ]);
  });

  test.each(['{}', TEXT, SAME])('is accepted beside the text %s', async (text) => {
    const tokens = await open({ kind: 'text', text }, { adminToken: ADMIN });

    expect(await userOf(tokens, ADMIN)).toBe('admin');
  });

  test('is refused on a public server if it is from the documentation', async () => {
    const variables = await readFile(path.join(ROOT, '.env.example'), 'utf8');
    const example = /^# ADMIN_TOKEN=(.+)$/m.exec(variables)?.[1] ?? '';

    for (const adminToken of [example, 'tok_wrong_0123456789']) {
      const opening = open({ kind: 'text', text: TEXT }, { adminToken, weakTokens: 'refuse' });
      await expect(opening).rejects.toThrow(/^ADMIN_TOKEN: .*documentation, which everybody knows/);
    }
  });
});

describe('weak tokens', () => {
  const PUBLISHED = digestToken('tok_test1_abc123');
  const WEAK = JSON.stringify({
    tok_0123456789abcdef0123456789: { userId: 'good' },
    tok_short: { userId: 'ada' },
    [`sha256:${PUBLISHED}`]: { userId: 'bob' },
    tok_off: { userId: 'cyd', disabled: true },
  });

  test('are refused on a public server by their positions, in a text and in a file', async () => {
    await writeFile(file, WEAK, { mode: 0o600 });

    for (const source of [{ kind: 'text', text: WEAK } as const, namedFile()]) {
      const opening = open(source, { weakTokens: 'refuse' });
      await expect(opening).rejects.toThrow(
        "entry 2 is a token of fewer than 20 characters, which can be guessed; entry 3 is a token of this server's documentation",
      );
      await expect(opening).rejects.toThrow('ALLOW_WEAK_TOKENS=true');
      await expect(opening).rejects.not.toThrow('tok_short');
    }
  });

  test('are warned of when they are allowed, as are plain tokens in the file', async () => {
    await open({ kind: 'text', text: WEAK }, { weakTokens: 'warn' });

    expect(memory.lines).toMatchObject([
      { level: 'warn', problem: expect.stringMatching(/^entry 2 .*; entry 3 /) as unknown },
      { level: 'warn', tokens: 1, tokenIds: [digestToken('tok_0123456789abcdef0123456789').slice(0, 8)] },
    ]);
    expect(JSON.stringify(memory.lines)).not.toContain('tok_');
  });

  test('are accepted without a warning on a local server', async () => {
    const tokens = await open({ kind: 'text', text: WEAK });

    expect(await userOf(tokens, 'tok_short')).toBe('ada');
    expect(memory.lines).toEqual([]);
  });

  test('are not loaded while the server runs', async () => {
    await writeFile(file, JSON.stringify({ [`sha256:${'a'.repeat(64)}`]: { userId: 'eve' } }), {
      mode: 0o600,
    });
    const tokens = await open(namedFile(), { weakTokens: 'refuse' });

    await writeFile(file, WEAK);
    await tokens.file?.reload();

    expect(await userOf(tokens, 'tok_short')).toBe('unknown');
    expect(memory.lines.at(-1)).toMatchObject({
      level: 'error',
      problem: expect.stringContaining('entry 2') as unknown,
    });
  });

  test('include every token in the documents, the examples and the page', async () => {
    const shown = new Set<string>();
    for (const name of ['README.md', 'SECURITY.md', '.env.example', 'tokens.example.json', 'docs', 'public'])
      for (const text of await textsOf(path.join(ROOT, name)))
        // Names of metrics begin as our tokens do.
        for (const [token] of text.matchAll(/\btok_\w+|\bmcp_(?!server_)[\w-]{20,}/g)) shown.add(token);

    expect(shown.size).toBeGreaterThan(2);
    for (const token of shown)
      expect([token, weaknessOf(token, digestToken(token))]).toEqual([token, expect.any(String)]);
  });
});

/** The texts of a file, or of the files of a folder. */
async function textsOf(name: string): Promise<string[]> {
  if (!(await stat(name)).isDirectory()) return [await readFile(name, 'utf8')];
  const files = (await readdir(name)).filter((entry) => /\.(md|html|js|css|json)$/.test(entry));
  return Promise.all(files.map((entry) => readFile(path.join(name, entry), 'utf8')));
}

describe('tokens in a file', () => {
  test.each([
    { what: 'that the configuration names', source: namedFile },
    { what: 'at the default path', source: defaultFile },
  ])('$what are in force and followed', async ({ source }) => {
    await writeFile(file, TEXT, { mode: 0o600 });
    const tokens = await open(source(), { allowOneRunToken: true });
    const before = await userOf(tokens, TOKEN);

    await writeFile(file, JSON.stringify({ tok_new: { userId: 'bob' } }));
    await tokens.file?.reload();

    expect(before).toBe('ada');
    expect(await userOf(tokens, 'tok_new')).toBe('bob');
    expect(tokens.oneRunToken).toBeUndefined();
  });

  test('that the configuration names are an error when it is missing', async () => {
    const opening = open(namedFile(), { allowOneRunToken: true });

    await expect(opening).rejects.toThrow(TokenFileError);
    await expect(opening).rejects.toThrow(
      `${file}: does not exist; run "npm run token -- create --user me" with the same TOKENS_FILE to create it`,
    );
    const relative = path.relative(process.cwd(), file);
    await expect(open({ ...namedFile(), path: relative }, { allowOneRunToken: true })).rejects.toThrow(
      `${relative} (${file}): does not exist`,
    );
  });

  test('that are invalid are refused with the path of the file, named or by default', async () => {
    await writeFile(file, `{"${TOKEN}":{"userId":5}}`);

    for (const source of [namedFile(), defaultFile()]) {
      const opening = open(source, { allowOneRunToken: true });
      await expect(opening).rejects.toThrow(`${file}: entry 1 needs "userId", a string`);
      await expect(opening).rejects.not.toThrow(TOKEN);
    }
  });

  test('are refused when the default path is a directory', async () => {
    await mkdir(file);

    await expect(open(defaultFile(), { allowOneRunToken: true })).rejects.toThrow('is not a regular file');
  });

  test('are refused when there are none, since nobody could get in', async () => {
    await writeFile(file, '{}');

    await expect(open(defaultFile(), { allowOneRunToken: true })).rejects.toThrow('holds no token');
  });
});

describe('without any token', () => {
  test('one is made for this run: long, random, for the user "owner" and with every scope', async () => {
    const first = await open(defaultFile(), { allowOneRunToken: true });
    const second = await open(defaultFile(), { allowOneRunToken: true });

    expect(first.oneRunToken).toMatch(/^mcp_[\w-]{43}$/);
    expect(first.oneRunToken).not.toBe(second.oneRunToken);
    const verification = await first.verifier.verify(first.oneRunToken ?? '');
    expect(verification).toMatchObject({
      ok: true,
      grant: { user: { userId: 'owner', name: 'Owner', metadata: {} } },
    });
    expect(verification.ok && verification.grant.user.scopes).toBeUndefined();
    expect(await userOf(first, second.oneRunToken ?? '')).toBe('unknown');
  });

  test('the token of the run is not logged', async () => {
    const { oneRunToken } = await open(defaultFile(), { allowOneRunToken: true });

    expect(JSON.stringify(memory.lines)).not.toContain(oneRunToken);
  });

  test('the token of the run stays valid when a token file appears, whose tokens are valid too', async () => {
    const tokens = await open(defaultFile(), { allowOneRunToken: true });

    await writeFile(file, TEXT, { mode: 0o600 });
    await waitFor('the file', async () => (await userOf(tokens, TOKEN)) === 'ada');

    expect(await userOf(tokens, tokens.oneRunToken ?? '')).toBe('owner');
  });

  test('the server refuses to start where a restart would lose that token, and says what to do', async () => {
    const opening = open(defaultFile(), { allowOneRunToken: false });

    await expect(opening).rejects.toThrow(NoTokensError);
    await expect(opening).rejects.toThrow(/AUTH_TOKENS.*TOKENS_FILE.*tokens\.json/s);
    await expect(opening).rejects.toThrow(/npm run token|node -p/);
  });
});

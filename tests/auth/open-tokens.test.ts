/** Where the tokens come from: a text, a file, or made for this run; and what is said when there are none. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  NoTokensError,
  type OpenTokens,
  openTokens,
  type TokenOptions,
} from '../../src/auth/tokens/open-tokens.ts';
import { TokenFileError } from '../../src/auth/tokens/token-file-error.ts';
import { createMemoryLog, type MemoryLog } from '../support/memory-log.ts';
import { createSandbox, waitFor } from '../support/process.ts';

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
  { allowOneRunToken = false }: { readonly allowOneRunToken?: boolean } = {},
): Promise<OpenTokens> {
  const tokens = await openTokens({ source, allowOneRunToken, log: memory.log });
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

describe('tokens in a file', () => {
  test.each([
    { what: 'that the configuration names', source: namedFile },
    { what: 'that lies where one is looked for by default', source: defaultFile },
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

  test('that the configuration names and that is missing is an error everywhere', async () => {
    const opening = open(namedFile(), { allowOneRunToken: true });

    await expect(opening).rejects.toThrow(TokenFileError);
    await expect(opening).rejects.toThrow(`${file}: does not exist`);
  });

  test('that cannot be used are refused by the name of the file, by default or not', async () => {
    await writeFile(file, `{"${TOKEN}":{"userId":5}}`);

    for (const source of [namedFile(), defaultFile()]) {
      const opening = open(source, { allowOneRunToken: true });
      await expect(opening).rejects.toThrow(`${file}: entry 1 needs "userId", a string`);
      await expect(opening).rejects.not.toThrow(TOKEN);
    }
  });

  test('are refused when a directory has its default name: that is no absence', async () => {
    await mkdir(file);

    await expect(open(defaultFile(), { allowOneRunToken: true })).rejects.toThrow('is not a regular file');
  });

  test('of which there is none are refused: nobody could get in', async () => {
    await writeFile(file, '{}');

    await expect(open(defaultFile(), { allowOneRunToken: true })).rejects.toThrow('holds no token');
  });
});

describe('without any token', () => {
  test('one is made for this run, long and random, for the user "owner" with every tool', async () => {
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

  test('the one made is not logged: the log may be kept', async () => {
    const { oneRunToken } = await open(defaultFile(), { allowOneRunToken: true });

    expect(JSON.stringify(memory.lines)).not.toContain(oneRunToken);
  });

  test('the one made goes on counting when a token file appears, whose tokens count too', async () => {
    const tokens = await open(defaultFile(), { allowOneRunToken: true });

    await writeFile(file, TEXT, { mode: 0o600 });
    await waitFor('the file', async () => (await userOf(tokens, TOKEN)) === 'ada');

    expect(await userOf(tokens, tokens.oneRunToken ?? '')).toBe('owner');
  });

  test('the server refuses where a restart would lose one, and says which command, variable and file mend it', async () => {
    const opening = open(defaultFile(), { allowOneRunToken: false });

    await expect(opening).rejects.toThrow(NoTokensError);
    await expect(opening).rejects.toThrow(/AUTH_TOKENS.*TOKENS_FILE.*tokens\.json/s);
    await expect(opening).rejects.toThrow(/npm run token|node -p/);
  });
});

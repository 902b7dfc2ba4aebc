/** `npm run token` from its command line to its exit code: standard streams, files on disk, and two commands at once. */
import {
  chmod,
  chown,
  cp,
  link,
  lstat,
  mkdir,
  readdir,
  readFile,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { runTokenCommand } from '../../scripts/token/run.ts';
import { parseTokens } from '../../src/auth/tokens/parse-tokens.ts';
import { digestToken, tokenIdOf } from '../../src/auth/digest.ts';
import { testEach, testInCi } from '../support/in-ci.ts';
import { PACKAGE } from '../support/package.ts';
import { builtFile, createSandbox, ROOT, waitFor, waitForEnd } from '../support/process.ts';
import { startServer } from '../support/server-process.ts';

const sandbox = createSandbox();
let cwd: string;
beforeEach(async () => {
  cwd = await sandbox.folder();
  process.chdir(cwd);
});
afterEach(async () => {
  process.chdir(ROOT);
  await sandbox.close();
});

/** Only root can give a file to somebody else. */
const asRoot = process.getuid?.() === 0 ? test : test.skip;

interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
}

/** Runs the command to its end, as a process. */
async function tokenProcess(args: readonly string[], { env = {}, stdin = '' }: RunOptions = {}) {
  const run = sandbox.spawn({ args: [builtFile('scripts/token.js'), ...args], cwd, env });
  run.child.stdin.end(stdin);
  const { code } = await waitForEnd(run, { timeoutMs: 20_000 });
  return { code, stdout: run.stdout(), stderr: run.stderr() };
}

/** Runs the command to its end, in this process: all but what another process may see, and how it starts, is the same. */
async function token(args: readonly string[], { env = {}, stdin = '' }: RunOptions = {}) {
  const [stdout, stderr]: [string[], string[]] = [[], []];
  const code = await runTokenCommand(args, env, {
    now: Date.now,
    stdin: Readable.from([stdin], { objectMode: false }),
    print: (text) => stdout.push(`${text}\n`),
    warn: (text) => stderr.push(`${text}\n`),
  });
  return { code, stdout: stdout.join(''), stderr: stderr.join('') };
}

/** Makes a token and returns what the command printed for scripts. */
async function createToken(user: string, ...args: readonly string[]) {
  const { stdout } = await token(['create', '--user', user, '--json', ...args]);
  return JSON.parse(stdout) as { id: string; token: string };
}

/** A file of the working directory. */
async function read(name = 'tokens.json'): Promise<string> {
  return readFile(path.join(cwd, name), 'utf8');
}

test('the life of a token: created, listed, checked, rotated, revoked', async () => {
  const created = await token(['create', '--user', 'ada', '--name', 'Ada Lovelace', '--expires', '90d']);
  const [secret = ''] = /mcp_[\w-]{43}/.exec(created.stdout) ?? [];
  const id = digestToken(secret).slice(0, 8);
  const listed = await token(['list']);
  const checked = await tokenProcess(['check'], { stdin: `${secret}\n` });
  const rotated = await token(['rotate', id, '--overlap', '0']);
  const checkedAgain = await token(['check', '--json'], { stdin: secret });
  const revoked = await token(['revoke', id]);
  const unknown = await token(['check', '--json'], { stdin: secret });

  expect(created).toMatchObject({ code: 0, stderr: '' });
  expect(listed.stdout).toMatch(
    new RegExp(`^ID .*STATE\\n${id} +ada +Ada Lovelace +all +20\\S+Z +20\\S+Z +valid\\n$`),
  );
  expect(checked).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringContaining('user:       ada') as unknown,
  });
  expect(rotated.stdout).toContain(`It replaces ${id}, which no longer works.`);
  expect([checkedAgain.code, JSON.parse(checkedAgain.stdout)]).toMatchObject([3, { id, state: 'expired' }]);
  expect(revoked).toMatchObject({
    code: 0,
    stdout: `Revoked ${id} of ada.\nA running server that reads tokens.json, whose owner, group and mode are as before, applies this change within two seconds.\n`,
  });
  expect([unknown.code, JSON.parse(unknown.stdout)]).toEqual([3, { state: 'unknown' }]);
  // Shown once: no other output has it, nor has the file.
  expect([listed, checked, rotated, revoked].map(({ stdout }) => stdout).join('')).not.toContain(secret);
  expect(await read()).not.toContain('mcp_');
});

test('a new token comes with a configuration for mcp-remote that names the public address', async () => {
  const { stdout } = await token(['create', '--user', 'ada', '--json'], {
    env: { PUBLIC_URL: 'https://my-app.example' },
  });

  const { token: secret, configuration } = JSON.parse(stdout) as { token: string; configuration: unknown };
  expect(configuration).toMatchObject({
    mcpServers: {
      [PACKAGE.name]: {
        args: ['-y', 'mcp-remote', 'https://my-app.example/mcp', '--header', 'Authorization:${AUTH_HEADER}'],
        env: { AUTH_HEADER: `Bearer ${secret}` },
      },
    },
  });
});

test('the exported line works as AUTH_TOKENS, and holds no token', async () => {
  await writeFile(
    path.join(cwd, 'tokens.json'),
    '{\n  "tok_plain": { "userId": "ada", "name": "Zoë\'s" }\n}\n',
  );

  const { code, stdout, stderr } = await token(['export']);

  expect(code).toBe(0);
  expect(stdout).toBe(`{"sha256:${digestToken('tok_plain')}":{"userId":"ada","name":"Zoë's"}}\n`);
  expect(stderr).toContain('AUTH_TOKENS');
  expect(stderr).toContain(`and export again: ${tokenIdOf(digestToken('tok_plain'))}.`);
});

test('a running server loads changes by itself', async () => {
  const first = await createToken('ada');
  const server = await startServer(sandbox, { env: { AUTH_ENABLED: 'true' }, cwd });
  const statusWith = async ({ token: secret }: { token: string }): Promise<number> => {
    const headers = { Authorization: `Bearer ${secret}` };
    return (await fetch(new URL('/tools', server.url), { headers })).status;
  };

  const second = await createToken('bob');
  await waitFor('the new token to be let in', async () => (await statusWith(second)) === 200, {
    timeoutMs: 2_000,
  });
  await token(['revoke', first.id]);
  await waitFor('the revoked one to be refused', async () => (await statusWith(first)) === 401, {
    timeoutMs: 2_000,
  });

  expect(await statusWith(second)).toBe(200);
});

describe('the file', () => {
  test('is the one of TOKENS_FILE, from .env too, unless --file names another', async () => {
    await writeFile(path.join(cwd, '.env'), 'TOKENS_FILE=from-env-file.json\n');

    await token(['create', '--user', 'a']);
    await token(['create', '--user', 'b'], { env: { TOKENS_FILE: 'from-variable.json' } });
    await token(['create', '--user', 'c', '--file', 'from-option.json']);

    expect((await readdir(cwd)).toSorted()).toEqual([
      '.env',
      'from-env-file.json',
      'from-option.json',
      'from-variable.json',
    ]);
  });

  test('is created with mode 600', async () => {
    await createToken('ada');

    const { mode } = await stat(path.join(cwd, 'tokens.json'));
    expect((mode & 0o777).toString(8)).toBe('600');
  });

  test('keeps its mode, with a warning when everyone can read it', async () => {
    const file = path.join(cwd, 'tokens.json');
    const { id } = await createToken('ada');
    await chmod(file, 0o640);

    const forGroup = await token(['disable', id]);
    const { mode } = await stat(file);
    await chmod(file, 0o644);
    const forAll = await token(['enable', id]);

    expect((mode & 0o777).toString(8)).toBe('640');
    expect(forGroup.stderr).toBe('');
    expect(forAll.stderr).toContain('chmod o= tokens.json');
  });

  asRoot('keeps its owner and group, whoever changes it', async () => {
    const file = path.join(cwd, 'tokens.json');
    const { id } = await createToken('ada');
    await chmod(file, 0o640);
    await chown(file, 0, 1234);

    const { code, stdout } = await token(['revoke', id]);

    const { uid, gid, mode } = await stat(file);
    expect({ uid, gid, mode: (mode & 0o777).toString(8) }).toEqual({ uid: 0, gid: 1234, mode: '640' });
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringContaining('whose owner, group and mode are as before') as unknown,
    });
  });

  test('behind a symbolic link is replaced there, and the link stays', async () => {
    await mkdir(path.join(cwd, 'secrets'));
    await symlink('secrets/real.json', path.join(cwd, 'tokens.json'));

    await createToken('ada');
    await createToken('bob');

    expect((await lstat(path.join(cwd, 'tokens.json'))).isSymbolicLink()).toBe(true);
    expect(parseTokens(await read('secrets/real.json')).map(({ user }) => user.userId)).toEqual([
      'ada',
      'bob',
    ]);
    expect((await readdir(cwd)).toSorted()).toEqual(['secrets', 'tokens.json']);
  });

  test('with a second hard link is replaced under one name, with a warning about the other', async () => {
    const { id } = await createToken('ada');
    await link(path.join(cwd, 'tokens.json'), path.join(cwd, 'other.json'));

    const { stderr } = await token(['revoke', id]);

    expect(stderr).toContain('2 names (hard links)');
  });

  test.each([
    ['create', ['create', '--user', 'eve']],
    ['list', ['list']],
    ['check', ['check']],
  ])('that is damaged is refused by %s with the place of the fault, and left as it is', async (_, args) => {
    const damaged = '{\n  "tok_secret": { "userId": "ada" },\n}\n';
    await writeFile(path.join(cwd, 'tokens.json'), damaged);

    const { code, stdout, stderr } = await token(args, { stdin: 'tok_secret' });

    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('tokens.json: not valid JSON at line 3, column 1');
    expect(stderr).not.toContain('tok_secret');
    expect(await read()).toBe(damaged);
    expect(await readdir(cwd)).toEqual(['tokens.json']);
  });

  test.each([
    ['missing', ['list', '--file', 'none.json'], 'none.json does not exist'],
    ['a folder', ['list', '--file', '.'], '. : is not a regular file'],
    [
      'in a folder that is missing',
      ['create', '--user', 'a', '--file', 'no/where.json'],
      'its folder does not exist',
    ],
  ])('that is %s ends the command with one line', async (_, args, message) => {
    const { code, stderr } = await token(args);

    expect(code).toBe(1);
    expect(stderr.replace('.: ', '. : ')).toContain(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});

testEach([3, 7])(
  '%i concurrent commands lose no change',
  async (count) => {
    const first = await createToken('first');
    const users = Array.from({ length: count - 1 }, (_, index) => `user${index}`);

    const results = await Promise.all([
      ...users.map((user) => tokenProcess(['create', '--user', user])),
      tokenProcess(['revoke', first.id]),
    ]);

    expect(results.map(({ code }) => code)).toEqual(results.map(() => 0));
    const found = parseTokens(await read()).map(({ user }) => user.userId);
    expect(found.toSorted()).toEqual(users);
    expect(await readdir(cwd)).toEqual(['tokens.json']);
  },
  40_000,
);

test('a token on the command line is refused with the reason, and nothing is done', async () => {
  const secret = `mcp_${'x'.repeat(43)}`;

  const { code, stdout, stderr } = await token(['create', '--user', 'ada', secret]);

  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain('never taken from the command line');
  expect(stderr).not.toContain('mcp_x');
  expect(await readdir(cwd)).toEqual([]);
});

test('--help goes to stdout, and without a command the same text to stderr', async () => {
  const [asked, lost] = await Promise.all([token(['--help']), tokenProcess([])]);

  expect(asked).toMatchObject({ code: 0, stderr: '' });
  expect(lost).toMatchObject({ code: 2, stdout: '', stderr: asked.stdout });
});

test('warns that the server does not read the file while AUTH_TOKENS is set', async () => {
  const { code, stderr } = await token(['create', '--user', 'ada'], { env: { AUTH_TOKENS: '{}' } });

  expect(code).toBe(0);
  expect(stderr).toContain('AUTH_TOKENS is set');
});

test('shows no control characters of the file on a terminal, whatever the command', async () => {
  const evil = String.raw`a\u001b[31m\u009b2J\u202e\n`;
  const text = `{ "tok_a": { "userId": "${evil}", "name": "${evil}", "metadata": { "note": "${evil}" } } }`;
  await writeFile(path.join(cwd, 'tokens.json'), text);
  const id = digestToken('tok_a').slice(0, 8);

  const runs = [
    await token(['list']),
    await token(['list', '--json']),
    await token(['check'], { stdin: 'tok_a' }),
    await token(['check', '--json'], { stdin: 'tok_a' }),
    await token(['export']),
    await token(['rotate', id]),
    await token(['create', '--user', 'x\u009b', '--name', '\u202ey', '--note', '\u001b[2J', '--json']),
    await token(['create', '--user', 'y', '--note', '\u001b[2J', '--json']),
    await token(['disable', id]),
    await token(['sign-out', id, '--json']),
    await token(['revoke', '--user', 'nobody\u001b[31m']),
    await token(['revoke', id]),
  ];

  const shown = runs.map(({ stdout, stderr }) => stdout + stderr).join('');
  expect(shown).not.toMatch(/[^\P{Cc}\n]|\p{Cf}/u);
  expect(runs[0]?.stdout.trim().split('\n')).toHaveLength(2);
  const [facts] = JSON.parse(runs[1]?.stdout ?? '') as { userId: string }[];
  expect(facts?.userId).toBe('a\u001b[31m\u009b2J\u202e');
});

testInCi('runs with only dist/ and the production dependencies', async () => {
  await cp(path.dirname(path.dirname(builtFile('scripts/token.js'))), path.join(cwd, 'dist'), {
    recursive: true,
  });
  await writeFile(path.join(cwd, 'package.json'), '{ "type": "module" }');
  await mkdir(path.join(cwd, 'node_modules'));
  const lock = JSON.parse(await readFile(path.join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean }>;
  };
  const names = Object.entries(lock.packages).flatMap(([name, { dev }]) => {
    const [, top] = /^node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(name) ?? [];
    return top === undefined || dev === true ? [] : [top];
  });
  for (const name of names) {
    await mkdir(path.dirname(path.join(cwd, 'node_modules', name)), { recursive: true });
    await symlink(path.join(ROOT, 'node_modules', name), path.join(cwd, 'node_modules', name));
  }

  const run = sandbox.spawn({
    args: ['dist/scripts/token.js', 'create', '--user', 'ada'],
    cwd,
    env: { NODE_ENV: 'production' },
  });
  const { code } = await waitForEnd(run);

  expect({ code, stderr: run.stderr() }).toEqual({ code: 0, stderr: '' });
  expect(parseTokens(await read()).map(({ user }) => user.userId)).toEqual(['ada']);
});

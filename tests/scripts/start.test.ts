/** Tests of `npm start`'s preparation, each in a small checkout of its own with the real compiler and a recorded npm. */

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';

import { afterEach, expect, test } from '@jest/globals';

import { checkNode } from '../../scripts/prepare.mjs';

const ROOT = path.resolve(import.meta.dirname, '../..');
const checkouts: string[] = [];

afterEach(async () => {
  const finished = checkouts.splice(0);
  await Promise.all(finished.map((directory) => rm(directory, { recursive: true })));
});

test.each([
  ['20.19.0', '>=20.19'],
  ['20.20.2', '>=20.19'],
  ['22.0.0', '>=20.19'],
  ['100.0.0', '>=20.19.4'],
])('accepts Node %s where %s is needed', (version, range) => {
  expect(() => checkNode(version, range)).not.toThrow();
});

test.each([
  ['20.18.3', '>=20.19'],
  ['18.20.8', '>=20.19'],
  ['9.11.2', '>=20.19'],
  ['20.19.3', '>=20.19.4'],
])('refuses Node %s where %s is needed', (version, range) => {
  expect(() => checkNode(version, range)).toThrow(`Node ${range} is needed, this is Node ${version}.`);
});

test.each(['start', 'prepare'])('refuses a Node that is too old with one line in %s.mjs', async (script) => {
  const checkout = await createCheckout();
  await checkout.write('package.json', JSON.stringify({ type: 'module', engines: { node: '>=99.1' } }));

  const result = await checkout.run(script);

  expect(result).toEqual({
    code: 1,
    stdout: '',
    stderr: `prepare: Node >=99.1 is needed, this is Node ${process.versions.node}.\n`,
  });
});

test('installs and builds before the first start, and does neither again', async () => {
  const checkout = await createCheckout();

  const first = await checkout.run('start', { NODE_ENV: 'production' });
  const second = await checkout.run('start');

  expect(first).toEqual({
    code: 0,
    stdout: 'one\n',
    stderr: 'prepare: installing dependencies (npm ci)\nprepare: building\n',
  });
  expect(second).toEqual({ code: 0, stdout: 'one\n', stderr: '' });
  expect(await checkout.read('npm-calls.log')).toMatch(/^ci --include=dev [^\n]*\n$/);
});

test('builds again when a source changed, without what was deleted', async () => {
  const checkout = await createCheckout();
  await checkout.write('src/old.ts', 'export {};\n');
  await checkout.run('prepare');
  const builtBefore = await checkout.read('dist/src/old.js');

  await checkout.write('src/main.ts', "process.stdout.write('two\\n');\n");
  await checkout.remove('src/old.ts');
  const result = await checkout.run('start');

  expect(builtBefore).toContain('export');
  expect(result).toEqual({ code: 0, stdout: 'two\n', stderr: 'prepare: building\n' });
  await expect(checkout.read('dist/src/old.js')).rejects.toThrow('ENOENT');
});

test('installs again when the lock file changed', async () => {
  const checkout = await createCheckout();
  await checkout.run('prepare');

  await checkout.write('package-lock.json', '{ "lockfileVersion": 3 }');
  const result = await checkout.run('prepare');

  expect(result.stderr).toContain('prepare: installing dependencies (npm ci)\n');
  expect((await checkout.read('npm-calls.log')).split('\n')).toHaveLength(3);
});

test('shows why an installation failed and tries again the next time', async () => {
  const checkout = await createCheckout();

  const first = await checkout.run('start', { FAKE_NPM_EXIT_CODE: '7' });
  const second = await checkout.run('start');

  expect(first).toMatchObject({ code: 1, stdout: '' });
  expect(first.stderr).toMatch(/prepare: failed: .* ci .*\(exit code 7\)\n$/);
  expect(second).toMatchObject({ code: 0, stdout: 'one\n' });
});

test('shows the errors of a build that failed and tries again the next time', async () => {
  const checkout = await createCheckout();
  await checkout.write('src/main.ts', "export const port: number = 'none';\n");

  const first = await checkout.run('start');
  const second = await checkout.run('start');

  for (const result of [first, second]) {
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toContain(
      "src/main.ts(1,14): error TS2322: Type 'string' is not assignable to type 'number'.",
    );
  }
});

test('installs and builds once when two starts meet', async () => {
  const checkout = await createCheckout();

  const results = await Promise.all([checkout.run('start'), checkout.run('start')]);

  expect(results.map(({ code, stdout }) => ({ code, stdout }))).toEqual([
    { code: 0, stdout: 'one\n' },
    { code: 0, stdout: 'one\n' },
  ]);
  const steps = results
    .flatMap(({ stderr }) => stderr.split('\n'))
    .filter((line) => line === 'prepare: building');
  expect(steps).toHaveLength(1);
  expect((await checkout.read('npm-calls.log')).split('\n')).toHaveLength(2);
});

test('takes over the lock of a process that is gone', async () => {
  const checkout = await createCheckout();
  await checkout.write('.prepare.lock', String(await pidOfEndedProcess()));

  const result = await checkout.run('start');

  expect(result).toMatchObject({ code: 0, stdout: 'one\n' });
  await expect(checkout.read('.prepare.lock')).rejects.toThrow('ENOENT');
});

test('passes a SIGTERM that `npm start` gets on to the server', async () => {
  const checkout = await createCheckout();
  await checkout.write('src/main.ts', PROGRAM_UNTIL_SIGTERM);
  await checkout.run('prepare');

  const npm = checkout.spawn('npm', ['start', '--silent']);
  const output = text(npm.stdout);
  await once(npm.stdout, 'data');
  npm.kill('SIGTERM');
  const exit = await once(npm, 'exit');

  expect(await output).toBe('ready\nstopped\n');
  expect(exit).toEqual([0, null]);
});

// The time-out is for a shell that keeps the signal to itself: nothing else would end the program then.
const PROGRAM_UNTIL_SIGTERM = `
setTimeout(() => process.exit(1), 10_000);
process.once('SIGTERM', () => process.stdout.write('stopped\\n', () => process.exit(0)));
process.stdout.write('ready\\n');
`;

interface RunResult {
  readonly code: number | string | null | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** A copy of the scripts and settings around a one-line program, with the real compiler and an npm that records its calls. */
async function createCheckout() {
  const directory = await mkdtemp(path.join(tmpdir(), 'start-test-'));
  checkouts.push(directory);
  const at = (name: string) => path.join(directory, name);

  for (const name of [
    'scripts/prepare.mjs',
    'scripts/start.mjs',
    'package.json',
    'tsconfig.json',
    'tsconfig.build.json',
  ]) {
    await cp(path.join(ROOT, name), at(name));
  }
  await mkdir(at('node_modules'));
  for (const name of ['typescript', '@types', 'undici-types']) {
    await symlink(path.join(ROOT, 'node_modules', name), at(`node_modules/${name}`), 'junction');
  }
  await mkdir(at('src'));
  await writeFile(at('src/main.ts'), "process.stdout.write('one\\n');\n");
  await writeFile(at('package-lock.json'), '{}');
  await writeFile(
    at('npm-cli.js'),
    `import { appendFileSync } from 'node:fs';
appendFileSync('npm-calls.log', process.argv.slice(2).join(' ') + '\\n');
process.exitCode = Number(process.env.FAKE_NPM_EXIT_CODE ?? 0);
`,
  );

  return {
    read: async (name: string) => readFile(at(name), 'utf8'),
    write: async (name: string, content: string) => writeFile(at(name), content),
    remove: async (name: string) => rm(at(name)),
    spawn: (command: string, args: readonly string[]) =>
      spawn(command, args, { cwd: directory, stdio: ['ignore', 'pipe', 'inherit'] }),
    run: async (script: string, env: Readonly<Record<string, string>> = {}) =>
      runNode([`scripts/${script}.mjs`], { cwd: directory, env: { ...env, npm_execpath: at('npm-cli.js') } }),
  };
}

/** Runs Node to its end, whatever its exit code. */
async function runNode(
  args: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<RunResult> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd, env: { ...process.env, ...env } }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code, stdout, stderr });
    });
  });
}

/** A process id that no process has. */
async function pidOfEndedProcess(): Promise<number | undefined> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, ['--version'], () => resolve(child.pid));
  });
}

/** Tests of what counts as installed, with the real npm and packages from folders: who installed does not matter, what is there does. */
import { cp } from 'node:fs/promises';
import { beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { isInstalledAs } from '../../scripts/installed.mjs';
import { createCheckout, deleteCheckouts, runToEnd } from '../support/checkout.ts';
import { testInCi } from '../support/in-ci.ts';

// The real npm takes a second on a machine of its own, and many more on one that is shared.
jest.setTimeout(120_000);

deleteCheckouts();

type Checkout = Awaited<ReturnType<typeof createCheckout>>;

/** What every test says when npm ci was run again. */
const INSTALLING = 'prepare: installing dependencies (npm ci)\n';

describe('after npm itself', () => {
  let prepared: Checkout;
  let checkout: Checkout;
  beforeAll(async () => {
    prepared = await createCheckout({ withCompiler: false });
    await prepared.write(
      'package.json',
      JSON.stringify({ name: 'fork', version: '1.0.0', type: 'module', engines: { node: '>=20' } }),
    );
    for (const [name, scripts] of [
      ['plain', {}],
      ['with-script', { install: `node -e "require('fs').writeFileSync('ran', '')"` }],
    ] as const) {
      await prepared.write(
        `vendor/${name}/package.json`,
        JSON.stringify({ name, version: '1.0.0', scripts }),
      );
    }
    await npmIn(prepared, 'pack', './vendor/plain', './vendor/with-script', '--silent');
    await npmIn(prepared, 'install', './plain-1.0.0.tgz');
  }, 60_000);
  beforeEach(async () => {
    checkout = await createCheckout({ withCompiler: false });
    await cp(prepared.directory, checkout.directory, { recursive: true });
  });

  /** Runs npm in a checkout. */
  async function npmIn({ directory }: Checkout, ...args: readonly string[]): Promise<void> {
    const result = await runToEnd('npm', [...args, '--no-audit', '--no-fund', '--offline'], {
      cwd: directory,
    });
    if (result.code !== 0) throw new Error(`npm ${args.join(' ')}: ${result.stderr}`);
  }

  /** Runs npm in the checkout of the test. */
  const npm = async (...args: readonly string[]): Promise<void> => npmIn(checkout, ...args);

  /** Whether our script would install again. */
  async function installsAgain(): Promise<boolean> {
    const { stderr } = await checkout.run('prepare');
    return stderr.includes(INSTALLING);
  }

  testInCi('has added a package with an install script, npm ci is not run again', async () => {
    await npm('install', './with-script-1.0.0.tgz');

    expect(await checkout.exists('node_modules/with-script/ran')).toBe(true);
    expect(await installsAgain()).toBe(false);
  });

  testInCi('has installed from the lock file by hand, npm ci is not run again', async () => {
    await npm('ci');

    expect(await installsAgain()).toBe(false);
  });

  testInCi('has added a folder, npm ci is not run again', async () => {
    await npm('install', './vendor/with-script');

    expect(await installsAgain()).toBe(false);
  });

  // What is told apart below without npm.
  testInCi('has written only the lock file, or has left out development tools, npm ci is run', async () => {
    await npm('install', './with-script-1.0.0.tgz', '--save-dev', '--package-lock-only');
    const lockFileOnly = await installsAgain();
    await npm('ci', '--omit=dev');
    const withoutDev = await installsAgain();

    expect({ lockFileOnly, withoutDev }).toEqual({ lockFileOnly: true, withoutDev: true });
  });

  testInCi('is told by our own script that the lock file changed, it installs once', async () => {
    const before = await checkout.read('package-lock.json');
    await npm('install', './with-script-1.0.0.tgz');
    await checkout.write('package-lock.json', before);
    const manifest = JSON.parse(await checkout.read('package.json')) as {
      dependencies: Record<string, string>;
    };
    delete manifest.dependencies['with-script'];
    await checkout.write('package.json', JSON.stringify(manifest));

    expect(await installsAgain()).toBe(true);
  });
});

/** A lock file with these packages. */
const lockOf = (packages: Readonly<Record<string, object>>): string => JSON.stringify({ packages });

/** A lock file with one package from git. */
const git = (commit: string): string =>
  lockOf({ 'node_modules/a': { version: '1.0.0', resolved: `git+https://x.example/a#${commit}` } });

/** Whether all of a lock file is installed when every folder is there but these. */
const agree = (wanted: string, installed: string, absent: readonly string[] = []): boolean =>
  isInstalledAs(wanted, installed, (folder) => !absent.includes(folder));

describe('two lock files', () => {
  const a = { version: '1.0.0', integrity: 'sha512-a' };
  const wanted = lockOf({ '': { name: 'fork' }, 'node_modules/a': a });

  test.each([
    ['the same', { 'node_modules/a': a }],
    [
      'the same from another registry',
      { 'node_modules/a': { ...a, resolved: 'https://mirror.example/a.tgz' } },
    ],
    [
      'one more that was not to be saved',
      { 'node_modules/a': a, 'node_modules/b': { ...a, extraneous: true } },
    ],
  ])('agree: %s', (_name, installed) => {
    expect(agree(wanted, lockOf(installed))).toBe(true);
  });

  test.each([
    ['nothing', {}],
    ['another version', { 'node_modules/a': { ...a, version: '1.0.1' } }],
    ['another digest', { 'node_modules/a': { ...a, integrity: 'sha512-b' } }],
    ['a folder', { 'node_modules/a': { link: true, resolved: 'vendor/a' } }],
    ['one too many, which would hide another', { 'node_modules/a': a, 'node_modules/c/node_modules/a': a }],
  ])('do not agree: %s', (_name, installed) => {
    expect(agree(wanted, lockOf(installed))).toBe(false);
  });

  test('agree without an optional package, but not without any other', () => {
    const optional = lockOf({ 'node_modules/a': a, 'node_modules/b': { ...a, optional: true } });
    const development = lockOf({ 'node_modules/a': a, 'node_modules/b': { ...a, dev: true } });

    expect(agree(optional, lockOf({ 'node_modules/a': a }))).toBe(true);
    expect(agree(development, lockOf({ 'node_modules/a': a }))).toBe(false);
  });

  test('do not agree when a package without a digest comes from another source', () => {
    expect(agree(git('1'), git('1'))).toBe(true);
    expect(agree(git('1'), git('2'))).toBe(false);
  });

  test('do not agree when a package has been deleted by hand, unless it is for another platform', () => {
    const optional = lockOf({ 'node_modules/a': { ...a, optional: true } });

    expect(agree(wanted, lockOf({ 'node_modules/a': a }), ['node_modules/a'])).toBe(false);
    expect(agree(optional, optional, ['node_modules/a'])).toBe(true);
  });

  test("do not agree when npm's own is incomplete", () => {
    expect(agree(wanted, '{"packages": {')).toBe(false);
  });
});

testInCi('npm ci of the start script is not run twice for one lock file', async () => {
  const checkout = await createCheckout();
  // The recording npm leaves nothing that could be compared.
  await checkout.write(
    'package-lock.json',
    JSON.stringify({ packages: { 'node_modules/a': { version: '1.0.0' } } }),
  );

  const first = await checkout.run('prepare');
  const second = await checkout.run('prepare');

  expect(first.stderr).toContain(INSTALLING);
  expect(second.stderr).toBe('');
});

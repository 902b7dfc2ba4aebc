/** Tests of `npm test`: everything runs, whatever fails, what changed comes first, and the end says all of it. */
import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createCheckout, deleteCheckouts, runToEnd } from '../support/checkout.ts';
import { changedFiles, distancesFrom } from '../support/changed-first.mjs';
import { testEach, testInCi } from '../support/in-ci.ts';
import { createSandbox, ROOT } from '../support/process.ts';

deleteCheckouts();
const sandbox = createSandbox();
afterEach(async () => sandbox.close());

/** A checkout whose tests and other checks end with these codes, and say that they ran. */
async function checkoutWith(codes: Readonly<Record<'jest' | 'lint' | 'format', number>>) {
  const checkout = await createCheckout({ withCompiler: false });
  // What is built is no matter here.
  await checkout.write('node_modules/typescript/bin/tsc', "require('node:fs').mkdirSync('dist');\n");
  const scripts = Object.fromEntries(
    Object.entries(codes).map(([name, code]) => [name, `node tell.js ${name} ${code}`]),
  );
  await checkout.write(
    'package.json',
    JSON.stringify({ type: 'module', engines: { node: '>=20' }, scripts }),
  );
  await checkout.write(
    'tell.js',
    `const [, , name, code, ...others] = process.argv;
process.stderr.write([name, 'ran', ...others].join(' ') + '\\n');
const isSecond = others.includes('--runTestsByPath');
const failedFiles = code === '0' ? [] : ['tests/busy.test.ts', ...others.filter((name) => name.startsWith('tests/'))];
const report = { counts: { failed: 0, skipped: 2, passed: 3, total: 5 }, failedFiles };
process.send?.(report, () => process.disconnect());
// The second time all is well but in what is broken.
// By itself, what has failed and left something open does not end by itself.
if (isSecond && !others.includes('--forceExit')) setInterval(() => {}, 1000);
process.exitCode = isSecond && !others.includes('tests/broken.test.ts') ? 0 : Number(code);
`,
  );
  return checkout;
}

describe('npm test', () => {
  test('runs the tests first, then the other checks, and sums up', async () => {
    const checkout = await checkoutWith({ jest: 0, lint: 0, format: 0 });

    const { code, stderr } = await checkout.run('check', { CI: '' }, ['tests/auth', '-t', 'a "name" $HOME']);

    expect(code).toBe(0);
    expect(stderr).toContain('jest ran tests/auth -t a "name" $HOME\n');
    expect(stderr.split('\n').slice(-4)).toEqual([
      'ok     tests      Tests: 2 skipped, 3 passed, 5 total (CI=true npm test runs all that can run here)',
      'ok     lint',
      'ok     format',
      '',
    ]);
  });

  testInCi('runs everything although each fails, shows what each said, and ends with 1', async () => {
    const checkout = await checkoutWith({ jest: 1, lint: 2, format: 1 });

    const { code, stderr } = await checkout.run('check');

    expect(code).toBe(1);
    for (const name of ['lint', 'format']) expect(stderr).toContain(`--- npm run ${name}\n${name} ran\n`);
    expect(
      stderr
        .split('\n')
        .slice(-4, -1)
        .map((line) => line.split(/ +/).slice(0, 2).join(' ')),
    ).toEqual(['FAILED tests', 'FAILED lint', 'FAILED format']);
  });

  testInCi.each(['jest', 'format'] as const)('ends with 1 when only %s fails', async (name) => {
    const checkout = await checkoutWith({ jest: 0, lint: 0, format: 0, [name]: 1 });

    const { code, stderr } = await checkout.run('check');

    expect(code).toBe(1);
    expect(stderr.match(/^FAILED /gm)).toHaveLength(1);
  });

  const twiceRows = [
    {
      others: [],
      code: 0,
      words:
        'ok     tests      Tests: 2 skipped, 3 passed, 5 total; run again, one at a time, passed: tests/busy.test.ts',
    },
    {
      others: ['tests/broken.test.ts'],
      code: 1,
      words: 'run again, one at a time, failed: tests/busy.test.ts, tests/broken.test.ts',
    },
    {
      others: ['a', 'b', 'c', 'd', 'e'].map((name) => `tests/${name}.test.ts`),
      code: 1,
      words: 'FAILED tests      Tests: 2 skipped, 3 passed, 5 total\n',
    },
  ];
  testEach(twiceRows)(
    'looks twice at what failed, where it is asked to and few did: $others',
    async ({ others, code, words }) => {
      const checkout = await checkoutWith({ jest: 1, lint: 0, format: 0 });

      const twice = await checkout.run('check', { CI: 'true' }, ['--look-twice', ...others]);

      expect(twice.code).toBe(code);
      expect(twice.stderr).toContain(words);
      expect(twice.stderr).not.toContain('--look-twice');
    },
  );

  testInCi.each(twiceRows)(
    'looks once at what failed, where it is not asked to: $others',
    async ({ others }) => {
      const checkout = await checkoutWith({ jest: 1, lint: 0, format: 0 });

      const once = await checkout.run('check', { CI: 'true' }, others);

      expect(once.code).toBe(1);
      expect(once.stderr).not.toContain('themselves');
    },
  );

  testInCi('answers --help and does nothing else', async () => {
    const checkout = await checkoutWith({ jest: 1, lint: 1, format: 1 });

    const result = await checkout.run('check', {}, ['--help']);

    expect(result).toEqual({ code: 0, stdout: expect.stringMatching(/^npm test: /), stderr: '' });
    expect(await checkout.exists('npm-calls.log')).toBe(false);
  });
});

/** A folder with these files, all committed. */
async function repositoryWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await sandbox.folder();
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), content);
  }
  const identity = ['-c', 'user.name=test', '-c', 'user.email=test@example.com'];
  execFileSync('git', ['init', '--quiet'], { cwd: folder });
  execFileSync('git', ['add', '.'], { cwd: folder });
  execFileSync('git', [...identity, 'commit', '--quiet', '-m', 'all'], { cwd: folder });
  return folder;
}

describe('the order of the tests', () => {
  test('knows what differs from the last commit, files that git does not know included', async () => {
    const folder = await repositoryWith({ 'a.ts': '1', 'b.ts': '1', 'staged.ts': '1' });
    for (const name of ['a.ts', 'ä new.ts', 'staged.ts']) await writeFile(path.join(folder, name), '2');
    execFileSync('git', ['add', 'staged.ts'], { cwd: folder });

    const changed = [...changedFiles(folder)].map((file) => path.relative(folder, file));

    expect(changed.toSorted()).toEqual(['a.ts', 'staged.ts', 'ä new.ts']);
  });

  test('is jest’s own where there is no git', async () => {
    expect(changedFiles(await sandbox.folder({ 'a.ts': '' })).size).toBe(0);
  });

  test('goes by the imports between a test and what changed', () => {
    const imports: Readonly<Record<string, readonly string[]>> = {
      'near.test': ['a', 'b'],
      'far.test': ['b'],
      'none.test': ['c'],
      b: ['a'],
      // A circle ends somewhere.
      a: ['b'],
    };

    const distances = distancesFrom(
      new Set(['a', 'own.test']),
      ['far.test', 'near.test', 'none.test', 'own.test'],
      (file) => imports[file] ?? [],
    );

    expect(Object.fromEntries(distances)).toEqual({
      a: 0,
      b: 1,
      'own.test': 0,
      'near.test': 1,
      'far.test': 2,
    });
  });

  test('puts what changed first in a real run, which names what is skipped and what is reduced', async () => {
    const folder = await repositoryWith({
      // Jest's own order begins with the largest file.
      'tests/large.test.js': `test('a', () => {});\n// ${'x'.repeat(1_000)}\n`,
      'tests/small.test.js':
        "import one from '../src/one.js'; test('b', () => void one); test.skip('c', () => {});\n",
      // One that does less of something where there is less time.
      'tests/mcp/fast-lane.test.ts': "test('d', () => {});\n",
      'src/one.js': "export default 1; // not from '../src'\n",
      'package.json': '{ "type": "module" }',
      'jest.config.cjs': `module.exports = {
        testSequencer: ${JSON.stringify(path.join(ROOT, 'tests/support/changed-first.mjs'))},
        reporters: ['default', ${JSON.stringify(path.join(ROOT, 'tests/support/skipped-reporter.mjs'))}],
        transform: {},
        cacheDirectory: '<rootDir>/.cache',
      };`,
    });
    const orderOfRun = async (): Promise<{ order: string[]; stderr: string }> => {
      const { stderr } = await runToEnd(
        process.execPath,
        ['--experimental-vm-modules', path.join(ROOT, 'node_modules/jest/bin/jest.js'), '-i'],
        {
          cwd: folder,
        },
      );
      return {
        stderr,
        order: [...stderr.matchAll(/^PASS tests\/(\w+)\.test/gm)].map(([, name = '']) => name),
      };
    };

    const before = await orderOfRun();
    await writeFile(path.join(folder, 'src/one.js'), "export default 2; // not from '../src'\n");
    const after = await orderOfRun();

    expect(before.stderr).toContain('Skipped 1 of 2 tests in tests/small.test.js: "c"\n');
    const reduced =
      'Less than with CI=true in tests/mcp/fast-lane.test.ts: 3 instead of 60 random talks that are compared\n';
    expect(before.stderr.includes(reduced)).toBe((process.env['CI'] ?? '') === '');
    expect(before.order).toEqual(['large', 'small']);
    expect(after.order).toEqual(['small', 'large']);
  });
});

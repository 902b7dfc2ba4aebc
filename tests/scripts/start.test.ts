/** Tests of `npm start`'s preparation, each in a small checkout of its own with the real compiler and a recorded npm. */

import { once } from 'node:events';
import { text } from 'node:stream/consumers';

import { describe, expect, test } from '@jest/globals';

import { checkNode } from '../../scripts/prepare.mjs';
import { testEach, testInCi } from '../support/in-ci.ts';
import { compilerThatMakes, createCheckout, deleteCheckouts } from '../support/checkout.ts';

deleteCheckouts();

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

testEach(['start', 'prepare'])('refuses a Node that is too old with one line in %s.mjs', async (script) => {
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

testInCi('builds again when a source changed, without what was deleted', async () => {
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

testInCi('installs again when the lock file changed', async () => {
  const checkout = await createCheckout();
  await checkout.run('prepare');

  await checkout.write('package-lock.json', '{ "lockfileVersion": 3 }');
  const result = await checkout.run('prepare');

  expect(result.stderr).toContain('prepare: installing dependencies (npm ci)\n');
  expect((await checkout.read('npm-calls.log')).split('\n')).toHaveLength(3);
});

testInCi('shows why an installation failed and tries again the next time', async () => {
  const checkout = await createCheckout();

  const first = await checkout.run('start', { FAKE_NPM_EXIT_CODE: '7' });
  const second = await checkout.run('start');

  expect(first).toMatchObject({ code: 1, stdout: '' });
  expect(first.stderr).toMatch(/prepare: failed: .* ci .*\(exit code 7\)\n$/);
  expect(second).toMatchObject({ code: 0, stdout: 'one\n' });
});

testInCi('shows the errors of a build that failed and tries again the next time', async () => {
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

test('passes a SIGTERM that `npm start` gets on to the server', async () => {
  const checkout = await createCheckout({ withCompiler: false });
  await checkout.write('node_modules/typescript/bin/tsc', compilerThatMakes(PROGRAM_UNTIL_SIGTERM));
  await checkout.run('prepare');

  const npm = checkout.spawn('npm', ['start', '--silent']);
  const output = text(npm.stdout);
  await once(npm.stdout, 'data');
  npm.kill('SIGTERM');
  const exit = await once(npm, 'exit');

  expect(await output).toBe('ready\nstopped\n');
  expect(exit).toEqual([0, null]);
});

describe('arguments', () => {
  testEach(['start', 'prepare'])('--help of %s.mjs is answered, and nothing else is done', async (script) => {
    const checkout = await createCheckout();

    const result = await checkout.run(script, {}, ['--help']);

    expect(result).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^npm (start|run build): /),
      stderr: '',
    });
    expect(await Promise.all(['npm-calls.log', 'dist'].map(checkout.exists))).toEqual([false, false]);
  });

  testEach([
    ['start', ['--port', '9000']],
    ['start', ['../package.json']],
    ['start', ['conformance-server', 'other']],
    ['prepare', ['start']],
  ] as const)('that %s.mjs does not know are refused in words: %j', async (script, args) => {
    const checkout = await createCheckout();

    const result = await checkout.run(script, {}, args);

    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toMatch(/^Unknown argument "[^"]+". Settings are environment variables; /);
    expect(await checkout.exists('npm-calls.log')).toBe(false);
  });

  testInCi('of `npm start` reach the script', async () => {
    const checkout = await createCheckout();

    const npm = checkout.spawn('npm', ['start', '--silent', '--', '--help']);
    const output = text(npm.stdout);

    expect(await output).toContain('npm start: installs and builds');
  });

  testInCi('name the conformance server, which is built and started as the server is', async () => {
    const checkout = await createCheckout();
    await checkout.write('lab/conformance/server/server.ts', "process.stdout.write('conforms\\n');\n");

    const result = await checkout.run('start', {}, ['conformance-server']);

    expect(result).toMatchObject({ code: 0, stdout: 'conforms\n' });
  });
});

// The time-out is for a shell that keeps the signal to itself: nothing else would end the program then.
const PROGRAM_UNTIL_SIGTERM = `
setTimeout(() => process.exit(1), 10_000);
process.once('SIGTERM', () => process.stdout.write('stopped\\n', () => process.exit(0)));
process.stdout.write('ready\\n');
`;

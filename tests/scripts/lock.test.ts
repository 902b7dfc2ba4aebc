/** Tests of the lock that lets one process install or build at a time: it holds while its maker lives, and never for longer. */
import { execFile } from 'node:child_process';
import { rmSync, utimesSync } from 'node:fs';
import { mkdir, readFile, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { lock } from '../../scripts/lock.mjs';
import { compilerThatMakes, createCheckout, deleteCheckouts, runToEnd } from '../support/checkout.ts';
import { testInCi } from '../support/in-ci.ts';
import { createSandbox, waitFor } from '../support/process.ts';

deleteCheckouts();
const sandbox = createSandbox();
afterEach(async () => sandbox.close());

/** The path of a lock that nobody has made. */
async function newFile(): Promise<string> {
  return path.join(await sandbox.folder(), 'lock');
}

/** A process id that no process has. */
async function pidOfEndedProcess(): Promise<number | undefined> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, ['--version'], () => resolve(child.pid));
  });
}

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

test('takes over the lock of a process that is gone, at once', async () => {
  const checkout = await createCheckout({ withCompiler: false });
  await checkout.write('node_modules/typescript/bin/tsc', compilerThatMakes(''));
  await checkout.write('.prepare.lock', `${await pidOfEndedProcess()} ${hostname()}\n`);

  const result = await checkout.run('prepare');

  expect(result).toMatchObject({ code: 0, stderr: expect.not.stringContaining('waiting') });
  expect(await checkout.exists('.prepare.lock')).toBe(false);
});

test.each([
  ['is empty', ''],
  ['holds something else', 'made by hand'],
  // Its id belongs to a process that runs: npm, jest or the shell that started this one.
  ['names a process that did not make it', `${process.ppid} ${hostname()}\n`],
  ['names a process of another machine', '1 some-container\n'],
])('takes over a lock that %s once its file is old', async (_name, content) => {
  const file = await newFile();
  await writeFile(file, content);
  // As after the clock has been set back.
  const tomorrow = Date.now() / 1000 + 86_400;
  await utimes(file, tomorrow, tomorrow);
  let waits = 0;

  const unlock = await lock(file, { onWait: () => (waits += 1), abandonedMs: 300 });

  expect(waits).toBe(1);
  expect(await readFile(file, 'utf8')).toBe(`${process.pid} ${hostname()}\n`);
  unlock();
  await expect(readFile(file)).rejects.toThrow('ENOENT');
});

test.each([
  ['a link that leads nowhere', async (file: string) => symlink('nowhere', file)],
  ['a folder', async (file: string) => mkdir(file)],
])('takes over %s', async (_name, make) => {
  const file = await newFile();
  await make(file);

  const unlock = await lock(file, { onWait: () => undefined, abandonedMs: 100 });

  expect(await readFile(file, 'utf8')).toContain(hostname());
  unlock();
});

testInCi('waits as long as the owner of the lock touches its file', async () => {
  const file = await newFile();
  await writeFile(file, '1 some-container\n');
  let touches = 0;
  const maker = setInterval(() => {
    touches += 1;
    utimesSync(file, touches, touches);
    if (touches === 30) rmSync(file);
  }, 50);

  const unlock = await lock(file, { onWait: () => undefined, abandonedMs: 1_000 });

  clearInterval(maker);
  unlock();
  expect(touches).toBe(30);
});

testInCi('touches its lock while it holds it', async () => {
  const file = await newFile();
  const unlock = await lock(file, { onWait: () => undefined, touchMs: 10 });
  await utimes(file, 1, 1);

  const touched = await waitFor('a touch', async () => (await stat(file)).mtimeMs > 1_000);

  unlock();
  expect(touched).toBe(true);
});

test('leaves no lock behind when the disk is full', async () => {
  const checkout = await createCheckout({ withCompiler: false });

  // Files can be made, and nothing can be written into them.
  const full = await runToEnd('sh', ['-c', `ulimit -f 0; exec "${process.execPath}" scripts/prepare.mjs`], {
    cwd: checkout.directory,
  });

  expect(full).toMatchObject({ code: 1, stderr: expect.stringMatching(/^prepare: EFBIG: /) });
  expect(await checkout.exists('.prepare.lock')).toBe(false);
});

testInCi('leaves no lock behind when a signal ends the installation', async () => {
  const checkout = await createCheckout();
  await checkout.write(
    'npm-cli.js',
    "process.kill(process.ppid, 'SIGTERM'); setTimeout(() => {}, 60_000);\n",
  );

  const result = await checkout.run('prepare');

  expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining('(ended by SIGTERM)') });
  expect(await checkout.exists('.prepare.lock')).toBe(false);
});

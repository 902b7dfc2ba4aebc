/** What V8 has made of the program is there before the first start, and a start does with it, without it and with a broken one. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { testEach } from '../support/in-ci.ts';
import { createSandbox, ROOT, waitForEnd } from '../support/process.ts';
import { startServer } from '../support/server-process.ts';

const sandbox = createSandbox();
const folder = path.join(ROOT, 'dist/.compiled');
const ofThisNode = `${process.version}-${process.platform}-${process.arch}`;
const kept = path.join(folder, ofThisNode, 'joined.cjs');

/** Has the build's step done, and says what it printed. */
async function compileAhead() {
  const run = sandbox.spawn({ args: [path.join(ROOT, 'dist/scripts/compile-ahead.js')], cwd: ROOT });
  const { code } = await waitForEnd(run, { timeoutMs: 30_000 });
  return { code, stderr: run.stderr() };
}

/** Where what the build has kept is while these tests run; it is put back in the end. */
let aside = '';
beforeAll(async () => {
  aside = path.join(await sandbox.folder(), 'compiled');
  if (existsSync(folder)) cpSync(folder, aside, { recursive: true });
  rmSync(folder, { recursive: true, force: true });
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  if (existsSync(aside)) cpSync(aside, folder, { recursive: true });
  await sandbox.close();
});

test('the build keeps what V8 has compiled of a start, for this Node, and says nothing', async () => {
  const outcome = await compileAhead();

  expect(outcome).toEqual({ code: 0, stderr: '' });
  expect(readdirSync(folder)).toEqual([ofThisNode]);
  expect(readdirSync(path.dirname(kept)).toSorted()).toEqual(['joined-sdk.cjs', 'joined.cjs']);
  // What is compiled without a rehearsal is less than half of that.
  expect(statSync(kept).size).toBeGreaterThan(1_000_000);
}, 60_000);

testEach([
  ['half of it', () => truncateSync(kept, 500_000)],
  ['something else', () => writeFileSync(kept, 'something else')],
  [
    'nothing',
    () => {
      rmSync(folder, { recursive: true });
      mkdirSync(folder);
    },
  ],
] as const)(
  'a server starts where there is %s',
  async (_what, spoil) => {
    spoil();

    const server = await startServer(sandbox);

    expect((await fetch(`${server.url}/health`)).status).toBe(200);
  },
  30_000,
);

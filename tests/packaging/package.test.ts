/** The package that `npm pack` makes: it holds what its commands need, and they run where there is no checkout. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { testInCi } from '../support/in-ci.ts';
import { createSandbox, ROOT, type TestProcess, waitForEnd } from '../support/process.ts';
import { PACKAGE } from '../support/package.ts';
import { ADA, BOB, startTestServer, type TestServer } from '../support/start-server.ts';

// npm installs the package's dependencies.
jest.setTimeout(240_000);

/** What npm says of a package. */
interface Packed {
  readonly filename: string;
  readonly name: string;
  readonly files: readonly { readonly path: string }[];
}

const sandbox = createSandbox();
let server: TestServer;
/** The package that was made, and the empty folder in which it lies. */
let packed: Packed;
let folder = '';
let cache = '';
beforeAll(async () => {
  folder = await sandbox.folder();
  const run = promisify(execFile);
  cache = (await run('npm', ['config', 'get', 'cache'], { cwd: ROOT })).stdout.trim();
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: ROOT,
  });
  [packed] = JSON.parse(stdout) as [Packed];
  server = await startTestServer({ env: { SSE_KEEPALIVE_SECONDS: '1' } });
});
afterAll(async () => {
  await server.close();
  await sandbox.close();
});

/** Runs a command of the package in the empty folder, as somebody does who has been given the file alone. */
async function npx(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<TestProcess & { code: number | null }> {
  const run = sandbox.spawn({
    command: 'npx',
    args: ['--yes', '--prefer-offline', `./${packed.filename}`, ...args],
    cwd: folder,
    env: { npm_config_cache: cache, npm_config_audit: 'false', npm_config_fund: 'false', ...env },
  });
  const { code } = await waitForEnd(run, { timeoutMs: 200_000 });
  return { ...run, code };
}

testInCi('runs the whole smoke test in an empty folder, and writes its report', async () => {
  const args = ['smoke', server.url, '--heartbeat', '1', '--expect-user', 'ada', '--junit', 'smoke.xml'];

  const run = await npx(args, { SMOKE_TOKEN: ADA, SMOKE_TOKEN2: BOB });

  expect({
    code: run.code,
    failed: run.stdout().match(/^[✗?].*$/gm),
    stderr: run.code === 0 ? '' : run.stderr(),
  }).toEqual({ code: 0, failed: null, stderr: '' });
  expect(run.stdout()).toMatch(/^OK: http/m);
  const report = await readFile(path.join(folder, 'smoke.xml'), 'utf8');
  expect(report).toMatch(
    /<testsuite name="smoke http:[^"]+" tests="\d+" failures="0" errors="0" skipped="\d+"/,
  );
  expect(report).not.toContain(ADA);
});

test('says which commands there are', async () => {
  const run = sandbox.spawn({ args: [path.join(ROOT, 'scripts/bin.mjs'), 'smok'], cwd: folder });

  expect(await waitForEnd(run)).toMatchObject({ code: 3 });
  expect(run.stderr()).toContain('Say which command: smoke, doctor, connect, token');
});

test('holds the build and the page, and nothing of the checkout besides', () => {
  const folders = [...new Set(packed.files.map((file) => file.path.split('/').slice(0, 2).join('/')))];

  expect(packed.name).toBe(PACKAGE.name);
  expect(folders.filter((one) => /^(tests|lab|src|docs|tokens|\.env|dist\/lab)/.test(one))).toEqual([]);
  expect(folders).toEqual(
    expect.arrayContaining(['dist/src', 'dist/scripts', 'scripts/bin.mjs', 'package.json']),
  );
});

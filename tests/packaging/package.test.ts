/** The package that `npm pack` makes: it holds what its commands need, and they run where there is no checkout. */
import { execFile } from 'node:child_process';
import { readdir, readFile, symlink } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { clientIdsFor, makeClientFile } from '../../src/connect/clients.ts';
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

const run = promisify(execFile);
const sandbox = createSandbox();
let server: TestServer;
/** The package that was made, and the empty folder in which it lies. */
let packed: Packed;
let folder = '';
beforeAll(async () => {
  folder = await sandbox.folder();
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
  const cache = (await run('npm', ['config', 'get', 'cache'], { cwd: ROOT })).stdout.trim();
  const started = sandbox.spawn({
    command: 'npx',
    args: ['--yes', '--prefer-offline', `./${packed.filename}`, ...args],
    cwd: folder,
    env: { npm_config_cache: cache, npm_config_audit: 'false', npm_config_fund: 'false', ...env },
  });
  const { code } = await waitForEnd(started, { timeoutMs: 200_000 });
  return { ...started, code };
}

testInCi('runs the whole smoke test in an empty folder, and writes its report', async () => {
  const args = [
    'smoke',
    server.url,
    '--heartbeat',
    '1',
    '--expect-user',
    'ada',
    '--junit',
    'smoke.xml',
    '--mcp-remote',
  ];
  const { devDependencies } = JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8')) as {
    devDependencies: Readonly<Record<string, string>>;
  };
  // What --mcp-remote asks for.
  const wanted = `mcp-remote@${devDependencies['mcp-remote']}`;
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', wanted], { cwd: folder });

  const smoke = await npx(args, { SMOKE_TOKEN: ADA, SMOKE_TOKEN2: BOB });

  expect({
    code: smoke.code,
    failed: smoke.stdout().match(/^[✗?].*$/gm),
    stderr: smoke.code === 0 ? '' : smoke.stderr(),
  }).toEqual({ code: 0, failed: null, stderr: '' });
  expect(smoke.stdout()).toMatch(/^OK: http/m);
  const report = await readFile(path.join(folder, 'smoke.xml'), 'utf8');
  expect(report).toMatch(
    /<testsuite name="smoke http:[^"]+" tests="\d+" failures="0" errors="0" skipped="\d+"/,
  );
  expect(report).not.toContain(ADA);
});

testInCi('says which commands there are', async () => {
  const smok = sandbox.spawn({ args: [path.join(ROOT, 'scripts/bin.mjs'), 'smok'], cwd: folder });

  expect(await waitForEnd(smok)).toMatchObject({ code: 3 });
  expect(smok.stderr()).toContain('Name a command: smoke, doctor, connect, token');
});

test('holds the build and the page, and nothing of the checkout besides', () => {
  const folders = [...new Set(packed.files.map((file) => file.path.split('/').slice(0, 2).join('/')))];

  expect(packed.name).toBe(PACKAGE.name);
  expect(folders.filter((one) => /^(tests|lab|src|docs|tokens|\.env|dist\/lab)/.test(one))).toEqual([]);
  expect(folders).toEqual(
    expect.arrayContaining(['dist/src', 'dist/scripts', 'scripts/bin.mjs', 'package.json']),
  );
});

test('holds every file of the checkout that the image holds', async () => {
  const dockerfile = await readFile(path.join(ROOT, 'Dockerfile'), 'utf8');
  const folders = [...dockerfile.matchAll(/^COPY (\w+) \.\/\1$/gm)].map(([, name = '']) => name);
  const files = await Promise.all(
    folders.map(async (name) => {
      const entries = await readdir(path.join(ROOT, name), { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => path.relative(ROOT, path.join(entry.parentPath, entry.name)));
    }),
  );

  const held = new Set(packed.files.map((file) => file.path));
  expect(files.flat().filter((file) => !held.has(file))).toEqual([]);
});

test('makes the files that it hands out', async () => {
  // As npm unpacks it; the packages that it needs, but for those that a fork puts into it, are found in the folder around it.
  const around = await sandbox.folder();
  await run('tar', ['-xzf', path.join(folder, packed.filename)], { cwd: around });
  const unpacked = path.join(around, 'package');
  await symlink(path.join(ROOT, 'node_modules'), path.join(around, 'node_modules'));
  const target = { name: 'mine', origin: 'https://my-app.example' };
  const made = await Promise.all(
    clientIdsFor({ canSignIn: false }).map(async (id) => ({ id, file: await makeClientFile(id, target) })),
  );

  for (const { id, file } of made) {
    if (file === undefined) continue;
    const args = [path.join(unpacked, 'scripts/bin.mjs'), 'connect', '--client', id];
    const connect = sandbox.spawn({ args, cwd: around });
    connect.child.stdin.end();
    const ending = await waitForEnd(connect);

    expect({ id, ...ending, said: connect.stderr() }).toEqual({ id, code: 0, signal: null, said: '' });
    expect(connect.stdout().slice(0, 2)).toBe('PK');
  }
});

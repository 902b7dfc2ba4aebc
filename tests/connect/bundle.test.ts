/** The bundle for Claude Desktop as a file: its manifest, its archive, and that it is always the same. */
import { createHash } from 'node:crypto';
import { copyFile, cp, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { text as readText } from 'node:stream/consumers';
import { afterEach, expect, test } from '@jest/globals';
import { fromBufferPromise } from 'yauzl';
import { makeBundle } from '../../src/connect/bundle/make-bundle.ts';
import { testInCi } from '../support/in-ci.ts';
import { builtFile, createSandbox, ROOT, waitForEnd } from '../support/process.ts';
import { fixtureEntry, startServer } from '../support/server-process.ts';

const sandbox = createSandbox();
afterEach(async () => sandbox.close());

const TARGET = {
  url: 'https://my-app.example/mcp',
  name: 'my-server',
  version: '1.2.3',
  withoutToken: false,
};

/** The entries of an archive, read by a library that takes nothing that the format does not allow. */
async function unzip(bytes: Buffer): Promise<Map<string, string>> {
  const archive = await fromBufferPromise(bytes, { lazyEntries: true, strictFileNames: true });
  const files = new Map<string, string>();
  for await (const entry of archive.eachEntry())
    files.set(entry.fileName, await readText(await archive.openReadStreamPromise(entry)));
  return files;
}

test('holds manifest, icon and bridge, with the address of the server and a hidden field for the token', async () => {
  const files = await unzip(makeBundle(TARGET));

  expect([...files.keys()]).toEqual(['manifest.json', 'icon.png', 'server/connect.mjs']);
  expect(JSON.parse(files.get('manifest.json') ?? '')).toMatchObject({
    manifest_version: '0.3',
    name: 'my-server',
    version: '1.2.3',
    server: { mcp_config: { env: { MCP_URL: TARGET.url, MCP_TOKEN: '${user_config.token}' } } },
    user_config: { token: { type: 'string', sensitive: true, required: true } },
  });
});

test('asks for no token when none is needed', async () => {
  const files = await unzip(makeBundle({ ...TARGET, withoutToken: true }));

  const manifest = files.get('manifest.json') ?? '';
  expect(manifest).not.toMatch(/token"|user_config/);
  expect(JSON.parse(manifest)).toMatchObject({ server: { mcp_config: { env: { MCP_URL: TARGET.url } } } });
});

test('is the same file each time, and differs for another server', () => {
  const hashes = [TARGET, TARGET, { ...TARGET, url: 'https://other.example/mcp' }].map((target) =>
    createHash('sha256').update(makeBundle(target)).digest('hex'),
  );

  expect(hashes[0]).toBe(hashes[1]);
  expect(hashes[0]).not.toBe(hashes[2]);
});

testInCi('is valid for the tool of the format', async () => {
  const folder = await sandbox.folder();
  const file = path.join(folder, 'my.mcpb');
  await writeFile(file, makeBundle(TARGET));
  const tool = path.join(ROOT, 'node_modules/@anthropic-ai/mcpb/dist/cli/cli.js');

  const unpack = sandbox.spawn({ args: [tool, 'unpack', file, path.join(folder, 'out')], cwd: folder });
  expect(await waitForEnd(unpack)).toMatchObject({ code: 0 });
  const validate = sandbox.spawn({ args: [tool, 'validate', path.join(folder, 'out')], cwd: folder });

  expect({ ...(await waitForEnd(validate)), said: validate.stdout() }).toMatchObject({
    code: 0,
    said: expect.stringContaining('passes') as unknown,
  });
});

test('is not written to a terminal, where the command to save it is shown', async () => {
  const args = [builtFile('scripts/connect.js'), '--client', 'claude-desktop-bundle'];

  const connect = sandbox.spawn({
    args: ['--import', 'data:text/javascript,process.stdout.isTTY = true', ...args],
    cwd: await sandbox.folder(),
  });
  const { code } = await waitForEnd(connect);

  expect({ code, stdout: connect.stdout() }).toEqual({ code: 2, stdout: '' });
  expect(connect.stderr()).toContain('npm run -s connect -- --client claude-desktop-bundle … > my.mcpb');
});

test('is refused by the command and by the server when the installation lacks its files', async () => {
  const folder = await sandbox.folder();
  await cp(path.join(ROOT, 'dist'), path.join(folder, 'dist'), { recursive: true });
  await copyFile(path.join(ROOT, 'package.json'), path.join(folder, 'package.json'));
  await symlink(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  const there = (file: string): string => path.join(folder, path.relative(ROOT, file));
  const [entry = '', ...args] = fixtureEntry('http');

  const connect = sandbox.spawn({
    args: [there(builtFile('scripts/connect.js')), '--client', 'claude-desktop-bundle'],
    cwd: folder,
  });
  const ending = await waitForEnd(connect);
  const server = await startServer(sandbox, { entry: [there(entry), ...args] });
  const answer = await fetch(`${server.url}/connect.mcpb`);

  expect(ending.code).toBe(1);
  expect(connect.stderr()).toMatch(/^This installation lacks the folder bundle\/ .*\n$/);
  expect(answer.status).toBe(404);
  expect(await answer.json()).toMatchObject({
    error: 'not_found',
    error_description: 'This server has no bundle: the folder bundle/ is not part of its installation.',
  });
});

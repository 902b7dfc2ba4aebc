/** The bundle for Claude Desktop as a file: its manifest, its archive, and that it is always the same. */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { text as readText } from 'node:stream/consumers';
import { afterEach, expect, test } from '@jest/globals';
import { fromBufferPromise } from 'yauzl';
import { makeBundle } from '../../src/connect/bundle/make-bundle.ts';
import { createSandbox, ROOT, waitForEnd } from '../support/process.ts';

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

test('asks for no token where none is needed', async () => {
  const files = await unzip(makeBundle({ ...TARGET, withoutToken: true }));

  const manifest = files.get('manifest.json') ?? '';
  expect(manifest).not.toMatch(/token"|user_config/);
  expect(JSON.parse(manifest)).toMatchObject({ server: { mcp_config: { env: { MCP_URL: TARGET.url } } } });
});

test('is the same file each time, and another one for another server', () => {
  const hashes = [TARGET, TARGET, { ...TARGET, url: 'https://other.example/mcp' }].map((target) =>
    createHash('sha256').update(makeBundle(target)).digest('hex'),
  );

  expect(hashes[0]).toBe(hashes[1]);
  expect(hashes[0]).not.toBe(hashes[2]);
});

test('is what the format’s own tool takes', async () => {
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

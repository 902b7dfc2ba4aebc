/** The entries of `src` themselves, whatever a fork has put into its definition: no tool, name or setting is expected here. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { definition } from '../../src/definition.ts';
import { connectClient } from '../support/clients.ts';
import { builtFile, createSandbox } from '../support/process.ts';
import { startServer, TOKEN, WITH_TOKENS } from '../support/server-process.ts';
import { connectStdio } from '../support/stdio-clients.ts';

const sandbox = createSandbox();
afterEach(async () => sandbox.close());

/** What a client must be shown: features may add to the tools of the definition. */
const OWN = definition.tools.map(({ name }) => name);

// A service may need variables and other servers that only the fork has.
const describeAlone = (definition.services ?? []).length === 0 ? describe : describe.skip;

describeAlone('the definition of this server', () => {
  test('is served over HTTP by main.js', async () => {
    const server = await startServer(sandbox, { ...WITH_TOKENS, entry: [builtFile('src/main.js')] });

    const client = await connectClient('v1 http', { url: server.url, token: TOKEN.ada });
    const listed = OWN.length === 0 ? [] : (await client.listTools()).tools.map(({ name }) => name);
    await client.close();

    expect(listed).toEqual(expect.arrayContaining(OWN));
  });

  test('is served over stdio by stdio.js', async () => {
    const cwd = await sandbox.folder();

    const client = await connectStdio(sandbox, 'v1', { args: [builtFile('src/stdio.js')], cwd });
    const listed = OWN.length === 0 ? [] : await client.listTools();

    expect(listed).toEqual(expect.arrayContaining(OWN));
  });
});

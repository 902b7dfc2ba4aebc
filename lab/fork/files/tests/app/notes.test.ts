/** Tests the tool, the prompt and the resource of this fork's notes through the real server. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { definition } from '../../src/definition.ts';
import { ADA, GREETER, startTestServer, type TestServer } from '../support/start-server.ts';

let server: TestServer;
let client: Client;
beforeAll(async () => {
  server = await startTestServer({ ...definition, env: { NOTES_PER_USER: '1' } });
  client = await connect(ADA);
});
afterAll(async () => {
  await client.close();
  await server.close();
});

/** Connects a client with a user's token. */
async function connect(token: string): Promise<Client> {
  const connected = new Client({ name: 'test', version: '1' });
  const requestInit = { headers: { Authorization: `Bearer ${token}` } };
  await connected.connect(new StreamableHTTPClientTransport(new URL(`${server.url}/mcp`), { requestInit }));
  return connected;
}

/** Calls `keep_note`; returns the content of its answer as JSON. */
async function keep(name: string, text: string): Promise<string> {
  const { content } = await client.callTool({ name: 'keep_note', arguments: { name, text } });
  return JSON.stringify(content);
}

test('a note is kept, overwritten, summed up and read; there is no room for a second', async () => {
  const kept = [
    await keep('bridges', 'old'),
    await keep('bridges', 'Seven.'),
    await keep('shopping', 'Tea.'),
  ];

  const prompt = await client.getPrompt({ name: 'sum_up', arguments: { note: 'bridges' } });
  const note = await client.readResource({ uri: 'note://bridges' });

  expect(kept.join('\n')).toMatch(/Kept: bridges[^]*Kept: bridges[^]*No room for another note/);
  expect(prompt.messages).toMatchObject([{ content: { text: 'Sum up: Seven.' } }]);
  expect(note.contents).toMatchObject([{ uri: 'note://bridges', text: 'Seven.' }]);
});

test('names are completed, and the tool is for those with its scope', async () => {
  const greeter = await connect(GREETER);

  const { completion } = await client.complete({
    ref: { type: 'ref/resource', uri: 'note://{name}' },
    argument: { name: 'name', value: 'br' },
  });
  const { tools } = await greeter.listTools();
  await greeter.close();

  expect(completion.values).toEqual(['breakfast', 'bridges']);
  expect(tools.map(({ name }) => name)).not.toContain('keep_note');
});

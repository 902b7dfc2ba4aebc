/** The bundle's bridge where something else than an MCP server answers. Messages are written by hand: no client hides that one is never answered. */
import { afterEach, expect, test } from '@jest/globals';
import path from 'node:path';
import { startFixedAnswer } from '../support/faulty-proxy.ts';
import { createSandbox, ROOT, type TestProcess, waitFor } from '../support/process.ts';

const sandbox = createSandbox();
afterEach(async () => sandbox.close());

/** What a host asks. */
const LIST = { jsonrpc: '2.0', id: 7, method: 'tools/list' };

/** Starts the bridge for a server. */
async function startBridge(url: string): Promise<TestProcess> {
  return sandbox.spawn({
    args: [path.join(ROOT, 'bundle/connect.mjs')],
    cwd: await sandbox.folder(),
    env: { MCP_URL: `${url}/mcp`, MCP_TOKEN: 'tok_ada_0123456789' },
  });
}

/** Writes messages, a line each. */
function write({ child }: TestProcess, ...messages: object[]): void {
  for (const message of messages) child.stdin.write(`${JSON.stringify(message)}\n`);
}

/** The first line that the bridge writes, as JSON. */
async function firstAnswer(bridge: TestProcess): Promise<unknown> {
  const line = await waitFor('an answer', () => /^.+(?=\n)/.exec(bridge.stdout())?.[0]);
  return JSON.parse(line);
}

/** What the bridge answers to a request where a server gives every request this answer. */
async function answerAt(status: number, body: string): Promise<unknown> {
  const server = await startFixedAnswer(status, 'text/html', body);
  sandbox.defer(async () => server.close());
  const bridge = await startBridge(server.url);
  write(bridge, LIST);
  return firstAnswer(bridge);
}

test.each([
  [200, '<title>Log in</title>'],
  [200, '{"status":"ok"}'],
  [202, ''],
  [204, ''],
])('a request that is answered %i with "%s" ends with an error in words', async (status, body) => {
  const answer = await answerAt(status, body);

  expect(answer).toEqual({
    jsonrpc: '2.0',
    id: 7,
    error: {
      code: -32_000,
      message: expect.stringMatching(
        new RegExp(
          `^Something else than an MCP server answered at 127\\.0\\.0\\.1:\\d+ \\(status ${status}\\): check the address, and that no login or waiting page stands in front of it\\.$`,
        ),
      ),
    },
  });
});

test.each([301, 302, 307, 308])(
  'a redirect (%i) is not followed, and its address is told',
  async (status) => {
    const answer = await answerAt(status, '');

    expect(answer).toMatchObject({
      error: {
        message: expect.stringMatching(
          /^The server has moved to https:\/\/elsewhere\.example\/: install its extension anew from there, /,
        ),
      },
    });
  },
);

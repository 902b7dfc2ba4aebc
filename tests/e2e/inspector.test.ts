/** The MCP Inspector's command line, as a user runs it, over every transport; it needs a newer Node than the server. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { findModernNode } from '../../scripts/modern-node.ts';
import { testInCi } from '../support/in-ci.ts';
import { createSandbox, ROOT, waitForEnd } from '../support/process.ts';
import {
  fixtureEntry,
  type ServerProcess,
  startServer,
  TOKEN,
  TOKENS_JSON,
  WITH_TOKENS,
} from '../support/server-process.ts';

const sandbox = createSandbox();
let modernNode: string;
let server: ServerProcess;
// npm may have to download a Node first.
beforeAll(async () => {
  modernNode = await findModernNode();
  server = await startServer(sandbox, WITH_TOKENS);
}, 180_000);
afterAll(async () => sandbox.close());

/** Runs the Inspector with these arguments; its home is empty, so that it finds no configuration and no browser. */
async function inspect(...args: string[]) {
  const launcher = path.join(
    ROOT,
    'node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js',
  );
  if (!existsSync(launcher)) throw new Error('The Inspector is missing: run npm install.');
  const cwd = await sandbox.folder({ 'tokens.json': TOKENS_JSON });
  const run = sandbox.spawn({ command: modernNode, args: [launcher, '--cli', ...args], cwd });
  const { code } = await waitForEnd(run, { timeoutMs: 20_000 });
  return { code, stdout: run.stdout(), stderr: run.stderr() };
}

/** The result that a run printed. */
function resultOf({ code, stdout, stderr }: Awaited<ReturnType<typeof inspect>>): unknown {
  if (code !== 0) throw new Error(`The Inspector ended with ${code}:\n${stderr}`);
  return JSON.parse(stdout);
}

const WAYS = [
  { transport: 'http', route: '/mcp', expected: 'streamable-http' },
  { transport: 'sse', route: '/sse', expected: 'sse' },
] as const;

testInCi.each(WAYS)(
  'over $transport lists the tools, and calls them as the user of the header',
  async ({ transport, route, expected }) => {
    const header = ['--header', `Authorization: Bearer ${TOKEN.ada}`];
    const target = [`${server.url}${route}`, '--transport', transport, ...header];

    const [list, greeting, me] = await Promise.all([
      inspect(...target, '--method', 'tools/list'),
      inspect(...target, '--method', 'tools/call', '--tool-name', 'get_greeting', '--tool-arg', 'name=you'),
      inspect(...target, '--method', 'tools/call', '--tool-name', 'whoami'),
    ]);

    expect(resultOf(list)).toMatchObject({
      tools: [{ name: 'get_greeting' }, { name: 'echo_message' }, { name: 'whoami' }],
    });
    expect(resultOf(greeting)).toMatchObject({ content: [{ type: 'text', text: 'Hello, you!' }] });
    expect(resultOf(me)).toMatchObject({ structuredContent: { userId: 'ada', transport: expected } });
  },
);

testInCi.each(WAYS)(
  'over $transport with a wrong token fails and shows no tool',
  async ({ transport, route }) => {
    const target = [`${server.url}${route}`, '--transport', transport];

    const wrong = ['--header', 'Authorization: Bearer tok_wrong_0123456789', '--stored-auth-only'];
    const refused = await inspect(...target, ...wrong, '--method', 'tools/list');

    expect(refused.code).not.toBe(0);
    expect(refused.stdout).not.toContain('get_greeting');
    expect(refused.stderr).toContain('auth_required');
  },
);

testInCi('over stdio lists the tools, and calls them as the user of MCP_TOKEN', async () => {
  const command = [process.execPath, ...fixtureEntry('stdio')];
  const env = ['-e', 'AUTH_ENABLED=true', '-e', `MCP_TOKEN=${TOKEN.bob}`];

  const [list, me] = await Promise.all([
    inspect(...command, '--method', 'tools/list'),
    inspect(...env, ...command, '--method', 'tools/call', '--tool-name', 'whoami'),
  ]);

  expect(resultOf(list)).toMatchObject({
    tools: [{ name: 'get_greeting' }, { name: 'echo_message' }, { name: 'whoami' }],
  });
  expect(resultOf(me)).toMatchObject({ structuredContent: { userId: 'bob', transport: 'stdio' } });
});

testInCi('over http speaks 2026-07-28 when asked to', async () => {
  const target = [`${server.url}/mcp`, '--transport', 'http', '--protocol-era', 'modern'];
  const header = ['--header', `Authorization: Bearer ${TOKEN.ada}`];

  const me = await inspect(...target, ...header, '--method', 'tools/call', '--tool-name', 'whoami');

  expect(resultOf(me)).toMatchObject({
    structuredContent: { userId: 'ada', protocolVersion: '2026-07-28' },
  });
});

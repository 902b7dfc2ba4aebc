/** `npm run token -- list` with a log: through which clients each user has signed in. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { digestToken } from '../../src/auth/digest.ts';
import { builtFile, createSandbox, waitForEnd } from '../support/process.ts';
import { newSecret, signIn } from '../support/sign-in.ts';
import { ADA, startTestServer, TOKENS } from '../support/start-server.ts';

const sandbox = createSandbox();
afterAll(async () => sandbox.close());

/** What the command prints in a folder. */
async function list(cwd: string, ...args: readonly string[]): Promise<string> {
  const command = [builtFile('scripts/token.js'), 'list', '--log', 'signed-in.log', ...args];
  const child = sandbox.spawn({ command: process.execPath, args: command, cwd });
  await waitForEnd(child);
  return child.stdout();
}

test('token list shows through what users have signed in, the latest first, and who vouches for it', async () => {
  const server = await startTestServer({ env: { SERVER_SECRET: newSecret() } });
  for (const client_name of ['Cursor', 'mcp-remote', 'Cursor'])
    await signIn(server.url, ADA, { metadata: { client_name } });
  await server.close();
  const vouched = { client: 'Claude', clientHost: 'claude.ai', tokenId: digestToken(ADA).slice(0, 8) };
  const lines = [...server.lines, { time: Date.now(), msg: 'client allowed', ...vouched }];
  const folder = await sandbox.folder({ 'tokens.json': JSON.stringify(TOKENS) });
  await writeFile(path.join(folder, 'signed-in.log'), lines.map((line) => JSON.stringify(line)).join('\n'));

  const asJson = await list(folder, '--json');
  const asTable = await list(folder);

  const clients = ['Claude (claude.ai)', 'Cursor (not verified)', 'mcp-remote (not verified)'];
  const today = new Date().toISOString().slice(0, 10);
  expect(JSON.parse(asJson)).toContainEqual(
    expect.objectContaining({ userId: 'ada', lastUse: today, signedInThrough: clients }),
  );
  expect(asTable).toMatch(/LAST USE +SIGNED IN THROUGH/);
  expect(asTable).toContain(clients.join(', '));
});

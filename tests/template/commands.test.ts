/** The commands of the documents that have `<!-- tested -->` above them, run as they stand there against what they start. */
import { cp, readdir, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import path from 'node:path';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { findModernNode } from '../../scripts/modern-node.ts';
import { fencesOf, readDocument, readDocuments } from './documents.ts';
import { testInCi } from '../support/in-ci.ts';
import { createSandbox, ROOT, type TestProcess, waitFor, waitForEnd } from '../support/process.ts';
import { hasTime } from '../support/reduced.mjs';
import { parseLog } from '../support/server-process.ts';

const sandbox = createSandbox();
let modernNode: string;
// The tests of CI need a Node that npm may have to download first.
beforeAll(async () => {
  modernNode = hasTime ? await findModernNode() : process.execPath;
}, 180_000);
afterEach(async () => sandbox.close());

/** What each command must print, found by a part of it. A command that none of these knows fails the test. */
const EXPECTED: readonly (readonly [command: RegExp, output: RegExp])[] = [
  [/^cp tokens\.example\.json/, /^$/],
  [/^curl http:\S+\/tools -H/, /"name":"get_greeting"/],
  [/^curl -i http:\S+\/tools$/, /^HTTP\/1\.1 401 [^]*No credential was sent/],
  [/^npm run token -- create/, /^\s*mcp_[\w-]{43}$/m],
  [/^npm run token -- list/, /\bada\b/],
  [/^npm run -s token -- export/, /^\{"sha256:[0-9a-f]{64}":\{.*\}\}\n$/],
  [/^npm run -s connect -- .*--client cursor/, /^\{\s*"mcpServers"/],
  [/^npm run connect -- .*--client cursor/, /"mcpServers"/],
  [/^npm run connect -- --client vscode --link/, /^vscode:mcp\/install\?%7B/m],
  [/^npm run connect -- --url/, /Claude Desktop, over stdio \(claude-desktop-stdio\)[^]*curl \(curl\)/],
  [/inspector --cli .*tools\/list/, /"name": "whoami"/],
];

/** Commands that stay: they are started, and what follows talks to them. */
const STAYS = /\bnpm start$/;

/** A folder that is a checkout to npm; what commands write stays in it. */
async function createCheckout(): Promise<string> {
  const folder = await sandbox.folder({ 'my-token.txt': 'mcp_0123456789\n' });
  await cp(path.join(ROOT, 'package.json'), path.join(folder, 'package.json'));
  await cp(path.join(ROOT, 'tokens.example.json'), path.join(folder, 'tokens.example.json'));
  const linked = ['dist', 'node_modules', 'public', 'scripts', 'src'];
  const present = await readdir(ROOT);
  for (const name of linked.filter((one) => present.includes(one)))
    await symlink(path.join(ROOT, name), path.join(folder, name));
  return folder;
}

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

/** The marked commands of a document, one each: lines that end in a backslash go on. */
async function commandsOf(name: string): Promise<string[]> {
  const { text } = await readDocument(name);
  const marked = fencesOf(text).filter(({ isTested }) => isTested);
  return marked
    .flatMap(({ code }) => code.replaceAll(/ \\\n */g, ' ').split('\n'))
    .map((line) => line.replace(/ +# .*$/, '').trim())
    .filter((line) => line !== '');
}

/** Ends the server that a command started, and waits until it is gone. */
async function stop(started: TestProcess | undefined): Promise<void> {
  started?.child.kill('SIGTERM');
  if (started !== undefined) await waitForEnd(started);
}

/** Runs a document's commands in one folder, one after the other; returns those whose output is not as it must be. */
async function runCommands(document: string): Promise<{ count: number; problems: string[] }> {
  const cwd = await createCheckout();
  const commands = await commandsOf(document);
  const port = await freePort();
  const PATH = `${path.dirname(modernNode)}${path.delimiter}${process.env['PATH']}`;
  const problems: string[] = [];
  let server: TestProcess | undefined;
  for (const command of commands) {
    const line = command.replaceAll('localhost:8000', `localhost:${port}`);
    if (STAYS.test(command)) {
      await stop(server);
      // The shell would keep the signal that is to stop the server to itself.
      const args = ['-c', `exec env ${line}`];
      const started = sandbox.spawn({ command: 'sh', args, cwd, env: { PORT: String(port) } });
      await waitFor(`${command}\n${started.stderr()}`, () =>
        parseLog(started.stderr()).some(({ msg }) => msg === 'listening'),
      );
      server = started;
      continue;
    }
    const run = sandbox.spawn({
      command: 'sh',
      args: ['-c', line],
      cwd,
      env: /inspector/.test(command) ? { PATH } : {},
    });
    const { code } = await waitForEnd(run, { timeoutMs: 30_000 });
    const [, output] = EXPECTED.find(([pattern]) => pattern.test(command)) ?? [];
    if (code !== 0 || output === undefined || !output.test(run.stdout()))
      problems.push(`${command}\nended with ${code}:\n${run.stdout()}\n${run.stderr()}`);
  }
  await stop(server);
  return { count: commands.length, problems };
}

testInCi.each([
  ['README.md', 8],
  ['docs/03_LOCAL_DEVELOPMENT.md', 3],
  ['docs/04_REPLIT_DEPLOYMENT.md', 2],
  ['docs/05_CLIENT_SETUP.md', 3],
])('the marked commands of %s do what they should', expectOutputs, 90_000);

/** Runs a document's commands, of which there are so many at least. */
async function expectOutputs(document: string, least: number): Promise<void> {
  const { count, problems } = await runCommands(document);

  expect(problems).toEqual([]);
  expect(count).toBeGreaterThanOrEqual(least);
}

test('the commands of every document with marked commands are run', async () => {
  const documents = await readDocuments();

  const marked = documents.filter(({ text }) => fencesOf(text).some(({ isTested }) => isTested));

  expect(marked.map(({ name }) => name)).toEqual([
    'README.md',
    'docs/03_LOCAL_DEVELOPMENT.md',
    'docs/04_REPLIT_DEPLOYMENT.md',
    'docs/05_CLIENT_SETUP.md',
  ]);
});

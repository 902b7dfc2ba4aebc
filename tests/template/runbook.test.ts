/** docs/09_RUNBOOK.md: every command in it is run as it stands there, against a server with a log to look at. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cp, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { testInCi } from '../support/in-ci.ts';
import { createSandbox, ROOT, waitForEnd } from '../support/process.ts';
import { eventually, openMcpSession, send, stateless } from '../support/raw-http.ts';
import {
  type ServerProcess,
  startServer,
  TOKEN,
  waitForLog,
  WITH_TOKENS,
} from '../support/server-process.ts';
import { fencesOf, readDocument } from './documents.ts';

// One of the commands is a whole smoke test, which waits for heartbeats.
jest.setTimeout(120_000);

const sandbox = createSandbox();
let server: ServerProcess;

/** What each command must print, found by a part of it. A command that none of these knows fails the test. */
const EXPECTED: readonly (readonly [command: RegExp, output: RegExp])[] = [
  [/^npm run doctor/, /✓ Tools are listed.*get_greeting/],
  [/npm run smoke -- \S+$/, /^OK: /m],
  [/npm run smoke .*--expect-user ada/, /Server knows who asks.*ada/],
  [/\/tools -H/, /"name":"get_greeting"/],
  [/-w 'connect/, /^connect [\d.]+ s, first byte [\d.]+ s$/m],
  [/\/health$/, /"version":/],
  [/\/ready$/, /"status":"ready"/],
  [/\.status >= 400/, /"error":"invalid_token","reason":"unknown"/],
  [/"tool call"/, /^echo_message\t[\d.]+\tok$/m],
  [/\.durationMs > 1000/, /^\{.*"path":"\/mcp".*"durationMs":1234\.5,"aborted":true\}$/m],
  [/\.session/, /^\d+$/m],
  [/\.limit != null/, /"limit":"MAX_BODY_BYTES"/],
  [/^ps /, /\bnode\b/],
  [/token -- list/, /\bbob\b/],
  [/token -- disable/, /disabled/i],
  [/token -- rotate/, /^\s*mcp_[\w-]{43}$/m],
  [/token -- sign-out/, /bob/],
  [/\.tokenId ==/, /"msg":"tool call".*"tool":"echo_message"/],
  [/token -- secret/, /^[\w-]{43}$/m],
  [/redis\|database/, /"msg":"redis cannot be reached","reason":"[^"]+"/],
  [/\.level == /, /^(\{"level":"(warn|error|fatal)".*\n)+$/],
];

/** The commands of the document. */
async function commands(): Promise<string[]> {
  const { text } = await readDocument('docs/09_RUNBOOK.md');
  return fencesOf(text)
    .flatMap(({ code }) => code.split('\n'))
    .map((line) => line.replace(/ +# .*$/, '').trim())
    .filter((line) => line !== '');
}

/** Whether a command is there; without jq or ps, what needs it is left out with a word. */
function hasProgram(name: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' });
    return true;
  } catch {
    process.stderr.write(`Commands of the runbook with ${name} are not tested: it is missing.\n`);
    return false;
  }
}

/** A folder that is a checkout to npm; what commands write stays in it. */
async function createCheckout(): Promise<string> {
  const folder = await sandbox.folder(WITH_TOKENS.files);
  await cp(path.join(ROOT, 'package.json'), path.join(folder, 'package.json'));
  const linked = new Set([
    'dist',
    'node_modules',
    'scripts',
    'src',
    'lab',
    'package-lock.json',
    'tsconfig.json',
    'tsconfig.build.json',
  ]);
  for (const name of (await readdir(ROOT)).filter((one) => linked.has(one)))
    await symlink(path.join(ROOT, name), path.join(folder, name));
  return folder;
}

beforeAll(async () => {
  const cwd = await createCheckout();
  server = await startServer(sandbox, {
    env: { ...WITH_TOKENS.env, MAX_BODY_BYTES: '65536', SSE_KEEPALIVE_SECONDS: '1' },
    cwd,
  });
  const call = { method: 'tools/call', params: { name: 'echo_message', arguments: { message: 'here' } } };
  await send(`${server.url}/tools`, { token: 'tok_wrong_0123456789' });
  await send(`${server.url}/mcp`, { token: TOKEN.ada, body: { padding: 'x'.repeat(70_000) } });
  const session = await openMcpSession(server.url, TOKEN.ada);
  const leave = new AbortController();
  const headers = { ...session.headers, Accept: 'text/event-stream' };
  await fetch(`${server.url}/mcp`, { headers, signal: leave.signal });
  leave.abort();
  await send(`${server.url}/mcp`, stateless(call, { token: TOKEN.bob }));
  await eventually(() => server.log().some(({ userId, msg }) => userId === 'bob' && msg === 'tool call'));
  await eventually(() => server.log().some(({ aborted }) => aborted === true));
  const away = await startServer(sandbox, {
    env: { REDIS_URL: 'redis://127.0.0.1:1', SERVER_SECRET: randomBytes(32).toString('base64url') },
  });
  await waitForLog(away, 'redis cannot be reached');
  // What takes long, and what is wrong with this server, would have to be waited for.
  const slow = { ...server.log().find(({ aborted }) => aborted === true), durationMs: 1234.5 };
  const slips = ['warn', 'error'].map((level) => ({
    level,
    time: 0,
    msg: 'a slip',
    err: { message: 'broken' },
  }));
  const more = [slow, ...slips].map((line) => `${JSON.stringify(line)}\n`);
  await writeFile(path.join(cwd, 'server.log'), [server.stderr(), away.stderr(), ...more].join(''));
  const entry = { url: `${server.url}/mcp`, headers: { Authorization: `Bearer ${TOKEN.ada}` } };
  await writeFile(path.join(cwd, 'mcp.json'), JSON.stringify({ mcpServers: { mine: entry } }));
});
afterAll(async () => sandbox.close());

test('the commands of the runbook for system programs run, and print what they should', async () => {
  const all = await commands();

  expect(await problemsOf(all.filter((command) => !isOurs(command)))).toEqual([]);
  expect(all.length).toBeGreaterThan(18);
});

test('jq is asked only for fields that the log has', async () => {
  const lines = (await readFile(path.join(server.cwd, 'server.log'), 'utf8')).split('\n');
  const known = new Set(
    lines.filter((line) => line.startsWith('{')).flatMap((line) => namesIn(JSON.parse(line))),
  );
  const programs = (await commands()).flatMap((command) => /^jq -\w+ '([^']*)'/.exec(command)?.[1] ?? []);

  const asked = programs.flatMap(namesAsked);

  expect(asked.filter((name) => !known.has(name))).toEqual([]);
  expect(new Set(asked).size).toBeGreaterThan(15);
});

/** The names of the fields that a program of jq asks for: behind a dot, and between the braces of an object that it makes. */
function namesAsked(program: string): string[] {
  const dotted = [...program.matchAll(/\.(\w+)/g)].map(([, name = '']) => name);
  const braced = [...program.matchAll(/\{([^}]*)\}/g)].flatMap(([, list = '']) => list.split(','));
  return dotted.concat(braced.map((field) => field.trim().replace(/:.*/, '')));
}

/** The names of the fields of an object, and of those in it. */
function namesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, field]) => [name].concat(namesIn(field)));
}

testInCi(
  'so do those for our own commands; who sends the old token reads what the document says',
  async () => {
    const own = (await commands()).filter(isOurs);
    const rotated = own.findIndex((command) => command.includes('token -- rotate')) + 1;
    const { text } = await readDocument('docs/09_RUNBOOK.md');
    const isTold = async (words: string): Promise<void> => {
      expect(text).toContain(words);
      await eventually(async () =>
        (await send(`${server.url}/tools`, { token: TOKEN.bob })).text.includes(`The token ${words}`),
      );
    };

    expect(await problemsOf(own.slice(0, rotated))).toEqual([]);
    await isTold('has expired');
    expect(await problemsOf(own.slice(rotated))).toEqual([]);
    await isTold('has been disabled');
    expect(own.length).toBeGreaterThan(7);
  },
);

/** Whether a command is one of package.json's. */
function isOurs(command: string): boolean {
  return command.includes('npm run ');
}

/** Runs commands; those that do not show what is expected of them, with what they said. */
async function problemsOf(all: readonly string[]): Promise<string[]> {
  const missing = ['jq', 'ps', 'curl'].filter((name) => !hasProgram(name));
  const bob = server.log().find(({ userId }) => userId === 'bob')?.['tokenId'];
  const problems: string[] = [];
  for (const command of all) {
    if (missing.some((name) => command.startsWith(`${name} `))) continue;
    const line = command
      .replaceAll('https://my-app.example', server.url)
      .replaceAll('YOUR_TOKEN', TOKEN.ada)
      .replaceAll(/\bID\b/g, String(bob))
      .replace('~/.cursor/mcp.json', 'mcp.json')
      // So that little is sent, and nothing waited for.
      .replace(/npm run smoke -- (\S+)/, 'npm run smoke -- $1 --max-body 65536 --heartbeat 1');
    const run = sandbox.spawn({ command: 'sh', args: ['-c', line], cwd: server.cwd });
    const { code } = await waitForEnd(run, { timeoutMs: 60_000 });
    const [, output] = EXPECTED.find(([pattern]) => pattern.test(command)) ?? [];
    if (code !== 0 || output === undefined || !output.test(run.stdout()))
      problems.push(`${command}\nended with ${code}:\n${run.stdout()}\n${run.stderr()}`);
  }
  return problems;
}

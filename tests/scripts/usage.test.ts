/** `npm run usage` and the last use in `npm run token -- list`, from the lines that a real server has written. */
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { digestToken } from '../../src/auth/digest.ts';
import { findModernNode } from '../../scripts/modern-node.ts';
import { Durations } from '../../scripts/usage/durations.ts';
import { Tally } from '../../scripts/usage/tally.ts';
import { testEach, testInCi } from '../support/in-ci.ts';
import { builtFile, createSandbox, waitForEnd } from '../support/process.ts';
import { callTool, openMcpSession, send } from '../support/raw-http.ts';
import { ADA, BOB, GREETER, startTestServer, TOKENS } from '../support/start-server.ts';

const sandbox = createSandbox();
let folder: string;
let text: string;
// Two files: what was written first is in a compressed one.
beforeAll(async () => {
  const server = await startTestServer();
  const ada = await openMcpSession(server.url, ADA);
  for (let id = 0; id < 3; id += 1) await ada.post(callTool(id, 'echo_message', { message: 'x' }));
  await ada.post(callTool(3, 'echo_message', {}));
  await ada.post(callTool(4, 'whoami'));
  const half = server.lines.length;
  await send(`${server.url}/mcp`, { token: GREETER, body: callTool(1, 'echo_message', { message: 'x' }) });
  for (let time = 0; time < 2; time += 1)
    await send(`${server.url}/tools`, { token: 'tok_expired_0123456789' });
  await send(`${server.url}/tools`, { token: 'tok_wrong_0123456789' });
  await server.close();
  const lines = server.lines.map((line) => JSON.stringify(line));
  text = lines.join('\n');
  folder = await sandbox.folder({
    'now.log': `a line of something else\n${lines.slice(half).join('\n')}\n`,
    'tokens.json': JSON.stringify(TOKENS),
  });
  await writeFile(path.join(folder, 'before.log.gz'), gzipSync(lines.slice(0, half).join('\n')));
});
afterAll(async () => sandbox.close());

/** How a program is run. */
interface RunOptions {
  readonly input?: string;
  /** The Node, and what it is told. */
  readonly command?: string;
  readonly args?: readonly string[];
}

/** Runs a program of ours in the folder of the log. */
async function run(
  program: string,
  args: readonly string[],
  { input = '', command = process.execPath, args: nodeArgs = [] }: RunOptions = {},
) {
  const file = builtFile(`scripts/${program}.js`);
  const child = sandbox.spawn({ command, args: [...nodeArgs, file, ...args], cwd: folder });
  child.child.stdin.end(input);
  const { code } = await waitForEnd(child);
  return { code, stdout: child.stdout(), stderr: child.stderr() };
}

const TODAY = new Date().toISOString().slice(0, 10);

describe('npm run usage', () => {
  test('sums up calls by user and tool, and refused logins by address and reason, over several files', async () => {
    const { code, stdout, stderr } = await run('usage', [
      '--json',
      '--since',
      '1h',
      'now.log',
      'before.log.gz',
    ]);

    const times = { first: expect.stringContaining(TODAY), last: expect.stringContaining(TODAY) };
    const took = { p50Ms: expect.any(Number), p99Ms: expect.any(Number) };
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(/^Lines that are not JSON objects were left out: 1\./),
    });
    expect(JSON.parse(stdout)).toEqual({
      calls: [
        { userId: 'ada', tool: 'echo_message', calls: 4, errors: 1, ...took, ...times },
        { userId: 'ada', tool: 'whoami', calls: 1, errors: 0, ...took, ...times },
        { userId: 'greta', tool: 'echo_message', calls: 1, errors: 1, ...took, ...times },
      ],
      refused: [
        { address: '127.0.0.1', reason: 'expired', count: 2, users: ['old'], ...times },
        { address: '127.0.0.1', reason: 'unknown', count: 1, users: [], ...times },
      ],
    });
  });

  testInCi('names an unknown option', async () => {
    const { code, stderr } = await run('usage', ['--foo']);

    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/^usage has no option --foo\.\n\nWho called what/),
    });
  });

  test('does not wait for input at a terminal', async () => {
    const { code, stderr } = await run('usage', [], {
      args: ['--import', 'data:text/javascript,process.stdin.isTTY = true'],
    });

    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/^usage reads the server's log: name its file/),
    });
  });

  test('prints tables, also for standard input', async () => {
    const { stdout } = await run('usage', [], { input: text });

    expect(stdout).toMatch(/^USER +TOOL +CALLS +ERRORS +P50 MS +P99 MS +FIRST +LAST$/m);
    expect(stdout).toMatch(
      new RegExp(`^ada +echo_message +4 +1 +[\\d.]+ +[\\d.]+ +${TODAY} +${TODAY}$`, 'm'),
    );
    expect(stdout).toMatch(/^127\.0\.0\.1 +expired +2 +old /m);
  });

  testInCi(
    'a line that holds U+2028 is one line on every Node',
    async () => {
      const input = text.replaceAll('"echo_message"', '"echo\u2028message"');

      const { stdout, stderr } = await run('usage', ['--json'], { input, command: await findModernNode(24) });

      expect({ stderr, ...JSON.parse(stdout) }).toMatchObject({
        stderr: '',
        calls: [{ userId: 'ada', tool: 'echo\u2028message', calls: 4 }, {}, {}],
      });
    },
    60_000,
  );

  testEach([
    [['--since', 'soon'], 2, '--since must be a length of time such as 7d'],
    [['--user', 'ada'], 2, 'Who called what'],
    [['missing.log'], 1, 'The log cannot be read from missing.log'],
  ] as const)('%j is refused with the reason', async (args, expected, words) => {
    const { code, stderr } = await run('usage', args);

    expect({ code, stderr }).toEqual({ code: expected, stderr: expect.stringContaining(words) });
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  testInCi('a missing file is reported with its whole path', async () => {
    const { code, stderr } = await run('usage', ['nope.log']);

    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `The log cannot be read from nope.log: there is no such file at ${path.join(folder, 'nope.log')}.\n`,
    });
  });

  test('reports input without log lines, and what it expects', async () => {
    const { code, stderr } = await run('usage', [], { input: '\n' });

    expect({ code, stderr }).toEqual({
      code: 0,
      stderr:
        "Nothing was read: standard input is empty. Give it the server's log: npm run usage -- server.log\n",
    });
  });

  testInCi('a damaged file is named', async () => {
    await writeFile(path.join(folder, 'broken.gz'), gzipSync('{}'.repeat(5_000)).subarray(0, 40));

    const { code, stderr } = await run('usage', ['broken.gz']);

    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'The log cannot be read from broken.gz: it is damaged.\n',
    });
  });

  testEach([
    ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
    ['bzip2', [0x42, 0x5a, 0x68, 0x39, 0x31, 0x41]],
  ] as const)('a file that %s has compressed is not read as an empty one', async (program, bytes) => {
    await writeFile(path.join(folder, 'packed.log'), Buffer.from(bytes));

    const { code, stdout, stderr } = await run('usage', ['packed.log']);

    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(
      `packed.log is compressed by ${program}, which cannot be read here. Decompress it: ${program} -dc FILE | npm run -s usage\n`,
    );
  });

  testInCi(
    'a file that zstd has compressed is read, or refused when Node.js cannot decompress it',
    async () => {
      const node = await findModernNode();
      const file = path.join(folder, 'before.log.zst');
      const pack = `fs.writeFileSync('${file}', zlib.zstdCompressSync(zlib.gunzipSync(fs.readFileSync('before.log.gz'))))`;
      execFileSync(node, ['-e', pack], { cwd: folder });

      const read = await run('usage', ['--json', file], { command: node });
      const refused = await run('usage', [file], {
        // As on Node 20.
        args: ['--import', 'data:text/javascript,import zlib from "zlib"; delete zlib.createZstdDecompress'],
      });

      expect(JSON.parse(read.stdout)).toMatchObject({ calls: [{ userId: 'ada', calls: 4 }, {}] });
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('zstd -dc FILE') });
    },
    60_000,
  );
});

test('token list shows the day on which each token was last accepted', async () => {
  const { stdout } = await run('token', ['list', '--log', 'before.log.gz', '--json']);

  const uses = (JSON.parse(stdout) as { id: string; lastUse: string | null }[]).map(({ id, lastUse }) => [
    id,
    lastUse,
  ]);
  expect(Object.fromEntries(uses)).toMatchObject({
    [digestToken(ADA).slice(0, 8)]: TODAY,
    [digestToken(BOB).slice(0, 8)]: null,
    [digestToken('tok_expired_0123456789').slice(0, 8)]: null,
  });
});

test('log lines before --since are left out', () => {
  const tally = new Tally(Date.parse('2026-01-02'));
  const line = { msg: 'tool call', userId: 'ada', tool: 'x', outcome: 'ok', durationMs: 1 };

  for (const time of ['2026-01-01T23:59:59Z', '2026-01-02T00:00:00Z', 'nonsense'])
    tally.add({ ...line, time });

  expect(tally.result().calls).toMatchObject([{ calls: 1, first: '2026-01-02T00:00:00Z' }]);
});

test('percentiles are accurate to about one percent', () => {
  const durations = new Durations();
  for (let value = 1; value <= 10_000; value += 1) durations.add(value / 10);

  expect(Math.abs((durations.percentile(0.5) ?? 0) / 500 - 1)).toBeLessThan(0.011);
  expect(Math.abs((durations.percentile(0.99) ?? 0) / 990 - 1)).toBeLessThan(0.011);
  expect(new Durations().percentile(0.5)).toBeNull();
});

/** The log: JSON lines on stderr and nowhere else, at the level asked for, without what must not be in it. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { LOG_LEVELS, type LogLevel, shortId, shownPath } from '../src/log.ts';
import { compileSources } from './support/compiled-source.ts';
import { testEach } from './support/in-ci.ts';
import { createSandbox, waitFor, waitForEnd } from './support/process.ts';

const sandbox = createSandbox();
let folder: string;
beforeAll(async () => {
  folder = await compileSources(sandbox);
});
afterAll(async () => sandbox.close());

/** Runs a script with a log of the level in a process of its own. */
async function run(
  script: string,
  { level = 'info', before = '' }: { readonly level?: LogLevel; readonly before?: string } = {},
) {
  const program = `import { createLineLog, createLog } from './log.js';\n${before}\nconst log = createLog('${level}');\n${script}`;
  const started = sandbox.spawn({ args: ['--input-type=module', '--eval', program], cwd: folder });
  const { code } = await waitForEnd(started);
  return { code, stdout: started.stdout(), stderr: started.stderr() };
}

/** What a log writes for each of these scripts, which are run one after the other in one process. */
async function runEach<Name extends string>(
  scripts: Readonly<Record<Name, string>>,
): Promise<Record<Name, string>> {
  const names = Object.keys(scripts) as Name[];
  const parts = names.map((name) => `{ ${scripts[name]} }\nlog.info('that was all');`);
  const { stderr } = await run(parts.join('\n'));
  const written = stderr.split(/^.*"msg":"that was all"\}\n/m);
  return Object.fromEntries(names.map((name, index) => [name, written[index]])) as Record<Name, string>;
}

/** The lines of a log as objects. */
function parseLines(stderr: string): Record<string, unknown>[] {
  return stderr
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** The names of fields that hold secrets. */
const SECRETS = [
  'token',
  'authorization',
  'cookie',
  'x-api-key',
  'x-auth-token',
  'headers',
  'sessionId',
  'arguments',
];

/** What could move the cursor of a terminal. */
const EVIL = String.raw`\u001b[31m\u009b2J\u202e\u2028\u200d`;
const EVIL_LINE = `log.error({ userId: 'Zoë ${EVIL}', err: new Error('Zoë ${EVIL} \\\\u001b') }, 'x');`;

/** What some of the tests of a log line have written. */
const SCRIPTS = {
  evil: EVIL_LINE,
  evilId: String.raw`log.error({ userId: 'Zoë \u001b[31m\u202e' }, 'x');`,
  secrets: `for (const name of ${JSON.stringify(SECRETS)}) {
    log.info({ [name]: 'SECRET' }, name);
    log.info({ req: { [name]: { deep: 'SECRET' } } }, name);
    log.child({ [name]: 'SECRET' }).info(name);
    log.error({ err: Object.assign(new Error('failed'), { [name]: 'SECRET' }) }, name);
  }`,
  requests: `const lines = createLineLog(log);
    for (const name of ['token', 'authorization', 'x-api-key', 'sessionId', 'headers', 'arguments'])
      lines.info({ [name]: 'SECRET', userId: 'ada' }, 'request');`,
  error: `log.error({ err: new RangeError('too far') }, 'failed');`,
};

describe('a log line', () => {
  let outputs: Record<keyof typeof SCRIPTS, string>;
  beforeAll(async () => {
    outputs = await runEach(SCRIPTS);
  });

  test('is one JSON object on stderr with level, time, fields and message; stdout belongs to the stdio protocol', async () => {
    const { stdout, stderr, code } = await run(
      `log.info({ userId: 'ada', text: 'a\\nb' }, 'session opened');`,
    );

    const [line, ...others] = parseLines(stderr);

    expect(line).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      userId: 'ada',
      text: 'a\nb',
      msg: 'session opened',
    });
    expect(others).toEqual([]);
    expect({ stdout, code }).toEqual({ stdout: '', code: 0 });
  });

  testEach(['JSON', 'pretty'] as const)(
    'in %s holds no character that could move a cursor or turn letters round',
    async (form) => {
      const stderr =
        form === 'JSON'
          ? outputs.evil
          : (await run(EVIL_LINE, { before: 'process.stderr.isTTY = true;' })).stderr;

      expect(stderr).toContain('Zoë');
      expect(stderr).not.toMatch(/[^\P{Cc}\n]|[\p{Cf}\p{Zl}]/u);
    },
  );

  test('in JSON is still what it was, once it is read', () => {
    expect(parseLines(outputs.evilId)[0]).toMatchObject({ userId: 'Zoë \u001b[31m\u202e' });
  });

  test('is written before the process ends, however it ends', async () => {
    const { stderr, code } = await run(`log.error('last words'); process.exit(3);`);

    expect(parseLines(stderr)).toMatchObject([{ level: 'error', msg: 'last words' }]);
    expect(code).toBe(3);
  });

  test('waits for a reader that has stopped as long as no more than 4 MiB do; what is beyond that is counted', async () => {
    const mebibyte = 1024 * 1024;
    const lines = 400;
    const program = `import { createLog } from './log.js';
      const log = createLog('info');
      log.info('x'.repeat(${2 * mebibyte}));
      for (let line = 0; line < ${lines}; line += 1) log.info({ line }, 'y'.repeat(10_000));
      process.stdout.write('all logged');
      setInterval(() => undefined, 1_000);`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { cwd: folder });
    let text = '';

    try {
      await once(child.stdout, 'data');
      child.stderr.setEncoding('utf8').on('data', (part: string) => (text += part));
      await waitFor('the count', () => /lines dropped.*\n$/.test(text));
    } finally {
      child.kill();
    }
    const [, ...written] = parseLines(text);

    const kept = written.filter((line) => 'line' in line).length;
    expect(written.at(-1)).toMatchObject({ level: 'warn', dropped: lines - kept });
    expect(text.length).toBeGreaterThan(4 * mebibyte);
    expect(text.length).toBeLessThan(5 * mebibyte);
  });

  testEach(LOG_LEVELS.map((level, index) => ({ level, index })))(
    'at level $level is written for that level and the graver ones',
    async ({ level, index }) => {
      const { stderr } = await run(
        `for (const name of ['debug', 'info', 'warn', 'error', 'silent']) log[name]('word');`,
        { level },
      );

      const written = parseLines(stderr).map((line) => line['level']);

      expect(written).toEqual(LOG_LEVELS.slice(index).filter((name) => name !== 'silent'));
    },
  );

  test('never holds a field with the name of a secret, at the top or one level down', () => {
    const lines = parseLines(outputs.secrets);

    expect(lines).toHaveLength(4 * SECRETS.length);
    expect(outputs.secrets).not.toContain('SECRET');
    for (const line of lines) expect(JSON.stringify(line)).toContain('[redacted]');
  });

  test('of the log for requests never holds such a field at the top, where all its fields are', () => {
    const lines = parseLines(outputs.requests);

    expect(lines).toHaveLength(6);
    expect(outputs.requests).not.toContain('SECRET');
    for (const line of lines) expect(line).toMatchObject({ userId: 'ada', msg: 'request' });
  });

  test('for an error has its message and stack', () => {
    expect(parseLines(outputs.error)).toMatchObject([
      {
        err: {
          type: 'RangeError',
          message: 'too far',
          stack: expect.stringContaining('RangeError: too far'),
        },
      },
    ]);
  });

  test('on a terminal has a line of its own for each of those that were gathered', async () => {
    const { stderr } = await run(
      String.raw`for (const userId of ['ada', 'a\u2028b', 'bob']) log.info({ userId }, 'session opened');`,
      { before: 'process.stderr.isTTY = true;' },
    );

    expect(stderr.match(/session opened/g)).toHaveLength(3);
    expect(stderr).not.toContain('{"level"');
  });

  test('on a terminal is for people: not JSON, still on stderr', async () => {
    const program = `process.stderr.isTTY = true;
      const { createLog } = await import('./log.js');
      createLog('info').warn({ port: 8000, token: 'SECRET' }, 'listening');`;
    const started = sandbox.spawn({ args: ['--input-type=module', '--eval', program], cwd: folder });
    await waitForEnd(started);

    expect(started.stderr()).toMatch(/WARN.*listening/);
    expect(started.stderr()).toContain('port');
    expect(started.stderr()).not.toMatch(/^\{/);
    expect(started.stderr()).not.toContain('SECRET');
    expect(started.stdout()).toBe('');
  });
});

describe('nothing is lost', () => {
  testEach([
    ['process.exit', 'process.exit(3);', 3],
    ['the end of its work', '', 0],
    ['an exception that nobody catches', "throw new Error('broken');", 1],
    ['an exception of a later turn', "setImmediate(() => { throw new Error('broken'); });", 1],
  ] as const)(
    'when the process ends by %s, of more lines than a pipe holds',
    async (_how, ending, expected) => {
      const { stderr, code } = await run(
        `for (let line = 0; line < 8000; line += 1) log.info({ line }, 'x'.repeat(100));\n${ending}`,
      );

      const lines = stderr.split('\n').filter((line) => line.startsWith('{"level"'));
      expect(lines.map((line) => (JSON.parse(line) as { line: number }).line)).toEqual([
        ...Array(8000).keys(),
      ]);
      expect(code).toBe(expected);
    },
  );

  test('but what there is no room for while nobody reads, and that is counted', async () => {
    const total = 30_000;
    const program = `import { createLog } from './log.js';
      const log = createLog('info');
      for (let line = 0; line < ${total}; line += 1) log.info({ line }, 'x'.repeat(100));
      process.stdout.write(String(process.memoryUsage().rss));
      process.stdin.on('data', () => log.info('read again')).on('end', () => undefined);`;
    const started = sandbox.spawn({ args: ['--input-type=module', '--eval', program], cwd: folder });
    started.child.stderr.pause();
    const rss = await waitFor('every line to be logged', () => Number(started.stdout()) || undefined);

    started.child.stderr.resume();
    await waitFor('word of what was dropped', () => started.stderr().includes('"dropped"'));
    started.child.stdin.end('go');
    await waitForEnd(started);

    const written = parseLines(started.stderr());
    const kept = written.filter(({ line }) => line !== undefined);
    const told = written.find(({ dropped }) => dropped !== undefined);
    expect(told).toMatchObject({
      level: 'warn',
      msg: 'log lines dropped: nobody read them, or the disk was full',
    });
    expect(kept.length + Number(told?.['dropped'])).toBe(total);
    expect(kept.map(({ line }) => line)).toEqual([...Array(kept.length).keys()]);
    expect(written.at(-1)).toMatchObject({ msg: 'read again' });
    expect(rss).toBeLessThan(160 * 1024 * 1024);
  });

  test('and a process ends within a bounded time when nobody reads', async () => {
    const program = `import { createLog } from './log.js';
      const log = createLog('info');
      for (let line = 0; line < 8000; line += 1) log.info({ line }, 'x'.repeat(100));
      process.exit(3);`;
    const started = sandbox.spawn({ args: ['--input-type=module', '--eval', program], cwd: folder });
    started.child.stderr.pause();

    await waitFor('the end', () => started.child.exitCode !== null);
    started.child.stderr.resume();

    expect((await waitForEnd(started)).code).toBe(3);
  });
});

test('a reader of the log that goes away does not take the process with it', async () => {
  const program = `import { createLog } from './log.js';
    const log = createLog('info');
    process.stdin.once('data', () => {
      for (let line = 0; line < 1000; line += 1) log.info({ line }, 'nobody reads this');
      process.stdout.write('still here');
      process.exit(0);
    });
    process.stdout.write('ready ');`;
  const started = sandbox.spawn({ args: ['--input-type=module', '--eval', program], cwd: folder });
  await new Promise((resolve) => {
    started.child.stdout.once('data', resolve);
  });

  started.child.stderr.destroy();
  started.child.stdin.write('go\n');
  const { code } = await waitForEnd(started);

  expect(started.stdout()).toBe('ready still here');
  expect(code).toBe(0);
});

testEach(['plain', 'pretty'] as const)(
  'a log that cannot be written, as on a full disk, does not take the process with it: %s',
  async (form) => {
    // Linux has a file that is always full; elsewhere there is no disk to fill.
    if (!existsSync('/dev/full')) return;
    const program = `process.stderr.isTTY = ${form === 'pretty'};
    const { createLog } = await import('./log.js');
    const log = createLog('info');
    for (let line = 0; line < 100; line += 1) log.info({ line }, 'nobody can keep this');
    setTimeout(() => process.stdout.write('still here'), 50);`;
    const started = sandbox.spawn({
      command: 'sh',
      args: ['-c', 'exec "$0" --input-type=module --eval "$1" 2>/dev/full', process.execPath, program],
      cwd: folder,
    });

    const { code } = await waitForEnd(started);

    expect({ code, stdout: started.stdout() }).toEqual({ code: 0, stdout: 'still here' });
  },
);

test('on a disk that was full the log goes on where it was cut; what there was no room for is counted', async () => {
  // A limit of the file's size is met as a full disk is, in the middle of a line, and Linux lifts it for a process that runs.
  if (process.platform !== 'linux') return;
  const total = 30_000;
  const program = `import { createLog } from './log.js';
    const log = createLog('info');
    for (let line = 0; line < ${total}; line += 1) log.info({ line }, 'x'.repeat(100));
    setImmediate(() => process.stdout.write('full'));
    process.stdin.once('data', () => log.info('room again'));`;
  const started = sandbox.spawn({
    command: 'sh',
    args: [
      '-c',
      'ulimit -S -f 1; exec "$0" --input-type=module --eval "$1" 2>"$2"',
      process.execPath,
      program,
      'full.log',
    ],
    cwd: folder,
  });
  await waitFor('every line to be logged', () => started.stdout() === 'full');

  execFileSync('prlimit', [`--pid=${started.child.pid}`, '--fsize=unlimited:']);
  const file = join(folder, 'full.log');
  await waitFor('word of what was dropped', async () => (await readFile(file, 'utf8')).includes('"dropped"'));
  started.child.stdin.end('go');
  await waitForEnd(started);

  const written = parseLines(await readFile(file, 'utf8'));
  const kept = written.flatMap(({ line }) => (line === undefined ? [] : [line]));
  const told = written.find(({ dropped }) => dropped !== undefined);
  expect(kept).toEqual([...Array(kept.length).keys()]);
  expect(kept.length + Number(told?.['dropped'])).toBe(total);
  expect(written.at(-1)).toMatchObject({ msg: 'room again' });
});

test('a session id is cut to eight characters: enough to match lines, too little to use', () => {
  expect(shortId('0123456789abcdef')).toBe('01234567');
  expect(shortId('abc')).toBe('abc');
});

describe('the path in a log line', () => {
  test.each([
    '/',
    '/mcp',
    '/messages',
    '/.well-known/oauth-protected-resource',
    '/.well-known/openid-configuration/mcp',
  ])('%s is shown as it is', (path) => {
    expect(shownPath(path)).toBe(path);
  });

  test.each([
    { path: '/mcp/tok_ada_0123456789', shown: '/mcp/[hidden]' },
    { path: '/Bearer%20tok_ada_0123456789', shown: '/[hidden]' },
    { path: '/sse/6f9619ff-8b86-d011-b42d-00c04fc964ff/x', shown: '/sse/[hidden]/x' },
    { path: '//ABCDEFGHIJKL//mnopqrstuvwx1', shown: '//[hidden]//[hidden]' },
  ])('$path is shown as $shown: a token or session id may be there by mistake', ({ path, shown }) => {
    expect(shownPath(path)).toBe(shown);
  });

  test('is not longer than 200 characters', () => {
    expect(shownPath('/a'.repeat(5000))).toHaveLength(200);
  });
});

/** A log whose reader has stopped reading: the server serves on, ends when it is told to, and says what was lost. */
import { spawnSync } from 'node:child_process';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { testInCi } from '../support/in-ci.ts';
import { createSandbox, waitFor, waitForEnd } from '../support/process.ts';
import { send } from '../support/raw-http.ts';
import { fixtureEntry, parseLog } from '../support/server-process.ts';

const sandbox = createSandbox();
afterEach(sandbox.close);

/** More requests than there is room for their lines in a pipe of the usual size; in a socket is room for a few times as many. */
const MANY = 450;

test('a pipe that nobody reads: every request is answered, and SIGTERM ends the server in order', async () => {
  const pipe = await openPipe();
  const server = await startInto(pipe.file, () => pipe.read());

  const statuses = await ask(server.url, MANY);
  server.process.child.kill('SIGTERM');
  const ending = await waitForEnd(server.process);

  expect(statuses).toEqual([404]);
  expect(ending).toEqual({ code: 0, signal: null });
});

testInCi(
  'when the pipe is read again, every line is there, or counted among those that were dropped',
  async () => {
    const pipe = await openPipe();
    const server = await startInto(pipe.file, () => pipe.read());

    await ask(server.url, MANY);
    let text = '';
    const answered = () => parseLog((text += pipe.read())).filter(({ msg }) => msg === 'request').length;
    await waitFor('every line', () => answered() === MANY);
    server.process.child.kill('SIGTERM');
    await waitForEnd(server.process);
    text += pipe.read();

    expect(parseLog(text).at(-1)).toMatchObject({ msg: 'stopped', finished: true });
  },
);

testInCi('a socket that nobody reads, as a service manager hands out: the same', async () => {
  const cwd = await sandbox.folder();
  const started = sandbox.spawn({ args: fixtureEntry('http'), cwd, env: { PORT: '0' } });
  const url = await waitFor('listening', () => urlIn(started.stderr()));
  started.child.stderr.pause();

  const statuses = await ask(url, MANY * 5);
  started.child.kill('SIGTERM');
  await waitFor('the end', () => started.child.exitCode !== null);
  started.child.stderr.resume();

  expect(statuses).toEqual([404]);
  expect(await waitForEnd(started)).toEqual({ code: 0, signal: null });
});

/** The address that a log says the server listens on. */
function urlIn(log: string): string | undefined {
  const line = parseLog(log).find(({ msg }) => msg === 'listening');
  return line && String(line['url']);
}

/** Asks for what is not there, again and again; the statuses that came, each once. */
async function ask(url: string, times: number): Promise<number[]> {
  const statuses = new Set<number>();
  for (let asked = 0; asked < times; asked += 50) {
    const answers = await Promise.all(Array.from({ length: 50 }, async () => send(`${url}/nothing/here`)));
    for (const { status } of answers) statuses.add(status);
  }
  return [...statuses];
}

/** A pipe with a name, which is read when a test says so. */
async function openPipe() {
  const file = path.join(await sandbox.folder(), 'log');
  spawnSync('mkfifo', [file]);
  const reader = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  sandbox.defer(async () => closeSync(reader));
  const read = (): string => {
    const bytes = Buffer.alloc(1024 * 1024);
    try {
      return bytes.toString('utf8', 0, readSync(reader, bytes));
    } catch {
      // Nothing there.
      return '';
    }
  };
  return { file, read };
}

/** Starts the built server with its log in a file, and waits until that says that it listens. */
async function startInto(file: string, read: () => string) {
  const cwd = await sandbox.folder();
  const started = sandbox.spawn({
    command: 'sh',
    args: ['-c', 'log="$1"; shift; exec "$0" "$@" 2>"$log"', process.execPath, file, ...fixtureEntry('http')],
    cwd,
    env: { PORT: '0' },
  });
  let text = '';
  const url = await waitFor('listening', () => urlIn((text += read())));
  return { url, process: started };
}

/** The lock of a token file: who waits, who takes over, and what a lock that was lost prevents. */
import { writeFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { execFile } from 'node:child_process';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { withLock } from '../../src/auth/tokens/file-lock.ts';
import { openTokenStore } from '../../src/auth/tokens/token-store.ts';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'lock-test-'));
  file = path.join(folder, 'tokens.json');
});
afterEach(async () => rm(folder, { recursive: true }));

/** Writes the lock of another command. */
async function writeLock(mark: string, ageMs = 0): Promise<void> {
  await writeFile(`${file}.lock`, mark);
  const time = (Date.now() - ageMs) / 1000;
  await utimes(`${file}.lock`, time, time);
}

/** The text of a lock that this process holds. */
function markOf(pid: number, host = hostname()): string {
  return `process ${pid} on ${host} (x)\n`;
}

/** A process id that no process has. */
async function pidOfEndedProcess(): Promise<number> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, ['--version'], () => resolve(child.pid ?? 0));
  });
}

test('admits one holder at a time, and leaves no file behind', async () => {
  let inside = 0;
  let most = 0;

  await Promise.all(
    Array.from({ length: 8 }, async () =>
      withLock(file, async () => {
        inside += 1;
        most = Math.max(most, inside);
        await new Promise((resolve) => {
          setTimeout(resolve, 5);
        });
        inside -= 1;
      }),
    ),
  );

  expect(most).toBe(1);
  expect(await readdir(folder)).toEqual([]);
});

test.each([
  ['of a process that is gone', async () => writeLock(markOf(await pidOfEndedProcess()))],
  ['that is older than any command runs', async () => writeLock(markOf(process.pid), 61_000)],
  ['that is empty, as a full disk leaves it', async () => writeLock('', 3_000)],
  ['of something else, which names nobody', async () => writeLock('locked by vim', 3_000)],
])('takes over a lock %s, once', async (_, arrange) => {
  await arrange();
  const order: string[] = [];

  await Promise.all(
    ['a', 'b', 'c'].map(async (name) =>
      withLock(file, async (isHeld) => {
        order.push(name);
        expect(await isHeld()).toBe(true);
        order.push(name);
      }),
    ),
  );

  expect(order).toHaveLength(6);
  expect([order[0], order[2], order[4]]).toEqual([order[1], order[3], order[5]]);
  expect(await readdir(folder)).toEqual([]);
});

test.each([
  ['of a living process', markOf(process.pid), `process ${process.pid} on ${hostname()}`],
  [
    'of another machine, where its number means another process',
    markOf(999_999_999, 'elsewhere'),
    'process 999999999 on elsewhere',
  ],
  ['that is just being written', '', 'another command'],
])(
  'waits for a lock %s, and then says who holds it and which file is in the way',
  async (_, mark, holder) => {
    await writeLock(mark);

    const waiting = withLock(file, async () => 'done', { waitMs: 50 });

    const failure = await waiting.catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: 'TokenStoreError' });
    expect(String(failure)).toContain(`is being changed by ${holder}: `);
    expect(String(failure)).toContain('tokens.json.lock exists');
    expect(await readFile(`${file}.lock`, 'utf8')).toBe(mark);
  },
);

/** A clock that goes on by so much whenever it is asked. */
function steppingClock(stepMs: number): () => number {
  let nowMs = 0;
  return () => (nowMs += stepMs);
}

test.each([
  ['that names nobody', ''],
  ['of another machine', markOf(1, 'elsewhere')],
])('takes over a lock %s which was left before the clock was set back', async (_, mark) => {
  await writeLock(mark, -3_600_000);

  expect(await withLock(file, async () => 'done', { now: steppingClock(1_000) })).toBe('done');
  expect(await readdir(folder)).toEqual([]);
});

test('does not wait for ever for a lock that is a dangling link', async () => {
  await symlink('nowhere', `${file}.lock`);

  const waiting = withLock(file, async () => 'done', { now: steppingClock(10_000) });

  await expect(waiting).rejects.toThrow('tokens.json.lock exists');
});

test('gives up when the clock that it is given says so, and names the holder', async () => {
  await writeLock(markOf(process.pid));

  const waiting = withLock(file, async () => 'done', { now: steppingClock(10_000) });

  await expect(waiting).rejects.toThrow(`is being changed by process ${process.pid} on `);
});

test('frees the lock when the work fails', async () => {
  await expect(withLock(file, async () => Promise.reject(new Error('no')))).rejects.toThrow('no');

  expect(await withLock(file, async () => 'done')).toBe('done');
});

test('a file whose lock was lost meanwhile is not written', async () => {
  await writeFile(file, '{"tok_a":{"userId":"ada"}}');
  const store = openTokenStore(file);

  const editing = store.edit(
    () => {
      // What another command does that found this one stopped for too long.
      writeFileSync(`${file}.lock`, markOf(1, 'elsewhere'));
      return { edits: { add: [{ digest: 'b'.repeat(64), fields: { userId: 'bob' } }] }, result: undefined };
    },
    { create: false },
  );

  await expect(editing).rejects.toThrow('nothing was changed');
  expect(await readFile(file, 'utf8')).toBe('{"tok_a":{"userId":"ada"}}');
  expect((await readdir(folder)).toSorted()).toEqual(['tokens.json', 'tokens.json.lock']);
});

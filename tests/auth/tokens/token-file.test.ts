/** The token file on disk: how changes of every kind are followed, and what happens when a version is invalid. */
import { execFileSync } from 'node:child_process';
import { constants, statSync, utimesSync, writeFileSync } from 'node:fs';
import {
  appendFile,
  chmod,
  chown,
  link,
  mkdir,
  open as openFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { loadTokens } from '../../../src/auth/tokens/load-tokens.ts';
import { TokenFileError } from '../../../src/auth/tokens/token-file-error.ts';
import { openTokenFile, type TokenFile, type TokenFileOptions } from '../../../src/auth/tokens/token-file.ts';
import { digestToken, tokenIdOf } from '../../../src/auth/digest.ts';
import type { RightsChange, TokenVerifier } from '../../../src/auth/verifier.ts';
import { createMemoryLog, type LogLine, type MemoryLog } from '../../support/memory-log.ts';
import { createSandbox, waitFor } from '../../support/process.ts';

const OLD = 'tok_old_0123456789';
const NEW = 'tok_new_0123456789';

const sandbox = createSandbox();
const opened: TokenFile[] = [];
let folder: string;
let file: string;
let memory: MemoryLog;

beforeEach(async () => {
  folder = await sandbox.folder();
  file = path.join(folder, 'tokens.json');
  memory = createMemoryLog();
  await write(OLD);
});
afterEach(async () => {
  for (const tokenFile of opened.splice(0)) tokenFile.close();
  await sandbox.close();
});

/** The text of a file with one token. */
function textOf(token: string): string {
  return JSON.stringify({ [token]: { userId: 'ada' } });
}

/** Writes a file with one token, readable only by its owner. */
async function write(token: string, target = file): Promise<void> {
  await writeFile(target, textOf(token), { mode: 0o600 });
}

/** Replaces the file in one step, so that no reader finds half of it. */
async function replaceWith(text: string): Promise<void> {
  await writeFile(`${file}.tmp`, text, { mode: 0o600 });
  await rename(`${file}.tmp`, file);
}

/** Opens the file, which is checked every 20 ms unless the test says otherwise. */
async function open(options: Partial<TokenFileOptions> = {}): Promise<TokenFile> {
  const tokenFile = await openTokenFile({ path: file, log: memory.log, pollMs: 20, ...options });
  opened.push(tokenFile);
  return tokenFile;
}

/** The message with which the file is refused. */
async function refusalOf(options: Partial<TokenFileOptions> = {}): Promise<string> {
  try {
    await open(options);
  } catch (error) {
    if (error instanceof TokenFileError) return error.message;
    throw error;
  }
  throw new Error('The file was accepted.');
}

/**
 * Opens the file and puts a text of the same size into it so soon that the file system's times are equal. Kernels with
 * fine-grained time stamps tell the two versions apart anyway; the test must hold on both.
 */
async function openAndEditAtOnce(options: Partial<TokenFileOptions>): Promise<TokenFile> {
  for (let attempt = 1; ; attempt += 1) {
    writeFileSync(file, textOf(OLD));
    const before = statSync(file, { bigint: true });
    const tokens = await open(options);
    writeFileSync(file, textOf(NEW));
    const after = statSync(file, { bigint: true });
    const isSameTick = after.ctimeNs === before.ctimeNs && after.mtimeNs === before.mtimeNs;
    if (isSameTick || attempt === 20) return tokens;
    tokens.close();
  }
}

/** Replaces the file by a FIFO. If something waits for its writer, one comes when the test is over. */
async function makeFifo(): Promise<void> {
  execFileSync('mkfifo', [file]);
  await link(file, `${file}.fifo`);
  const writer = constants.O_WRONLY | constants.O_NONBLOCK;
  sandbox.defer(async () => (await openFile(`${file}.fifo`, writer)).close());
}

/** Whether a token is accepted. */
async function accepts(verifier: TokenVerifier, token: string): Promise<boolean> {
  return (await verifier.verify(token)).ok;
}

/** Waits until a token is accepted. */
async function untilAccepted(verifier: TokenVerifier, token: string): Promise<void> {
  await waitFor(`${token} accepted`, async () => accepts(verifier, token));
}

/** The lines of the log with this message. */
function linesWith(msg: string): LogLine[] {
  return memory.lines.filter((line) => line['msg'] === msg);
}

const BROKEN = 'token file cannot be used; the last good tokens stay in force';

/** Waits for the log line that says that a version is invalid. */
async function untilBroken(problem: string | RegExp): Promise<void> {
  await waitFor(`the problem ${problem}`, () =>
    linesWith(BROKEN).some((line) =>
      typeof problem === 'string' ? line['problem'] === problem : problem.test(String(line['problem'])),
    ),
  );
}

describe('the first version', () => {
  test('is in force at once, and logged without its content', async () => {
    const tokens = await open();

    expect(await accepts(tokens, OLD)).toBe(true);
    expect(memory.lines).toEqual([
      expect.objectContaining({ msg: 'token file loaded', level: 'info', tokens: 1 }),
    ]);
    expect(JSON.stringify(memory.lines)).not.toContain(OLD);
  });

  test('may begin with a byte order mark', async () => {
    await writeFile(file, `\uFEFF${textOf(NEW)}`, { mode: 0o600 });

    expect(await accepts(await open(), NEW)).toBe(true);
  });

  test('is judged by the clock that is passed', async () => {
    await writeFile(file, JSON.stringify({ [OLD]: { userId: 'ada', expiresAt: '2027-06-30' } }), {
      mode: 0o600,
    });
    let nowMs = Date.UTC(2027, 5, 30) - 1;
    const tokens = await open({ now: () => nowMs, pollMs: 3_600_000 });

    const before = await tokens.verify(OLD);
    nowMs += 1;

    expect(before.ok).toBe(true);
    expect(await tokens.verify(OLD)).toMatchObject({ ok: false, reason: 'expired' });
    expect(tokens.hasValidToken('ada')).toBe(false);
  });

  test.each<{ what: string; make: () => unknown; problem: string | RegExp }>([
    { what: 'a missing file', make: async () => rm(file), problem: 'does not exist' },
    {
      what: 'a directory',
      make: async () => {
        await rm(file);
        await mkdir(file);
      },
      problem: 'is not a regular file',
    },
    {
      what: 'a FIFO, without waiting for a writer',
      make: async () => {
        await rm(file);
        await makeFifo();
      },
      problem: 'is not a regular file',
    },
    {
      what: 'a symbolic link to itself',
      make: async () => {
        await rm(file);
        await symlink(file, file);
      },
      problem: 'cannot be read (ELOOP)',
    },
    {
      what: 'a file that is not UTF-8',
      make: async () => writeFile(file, Buffer.from(`{"tok_\xe9":{"userId":"ada"}}`, 'latin1')),
      problem: 'is not UTF-8 text',
    },
    {
      what: 'a file that is far too large',
      make: async () => truncate(file, 64 * 1024 * 1024 + 1),
      problem: /^is larger than \d+ bytes$/,
    },
    {
      what: 'an empty file',
      make: async () => truncate(file),
      problem: /^not valid JSON at line 1, column 1 /,
    },
    { what: 'a file without a token', make: async () => writeFile(file, '{}'), problem: 'holds no token' },
    {
      what: 'a file with a wrong entry',
      make: async () => writeFile(file, `{"${OLD}":{"userId":""}}`),
      problem: 'entry 1 field "userId" must not be empty',
    },
  ])('is refused when it is $what', async ({ make, problem }) => {
    await make();

    const refusal = await refusalOf();

    expect(refusal).toMatch(problem);
    expect(refusal).not.toContain(OLD);
  });

  test('is refused when it is not readable', async () => {
    await chmod(file, 0o000);

    const refusal = await asOrdinaryUser(async () => refusalOf());

    expect(refusal).toBe('cannot be read: permission denied');
  });
});

describe('a change', () => {
  test.each<{ kind: string; make: () => Promise<void> }>([
    { kind: 'an edit in place', make: async () => write('tok_longer_than_before_0123456789') },
    { kind: 'an edit of the same size', make: async () => write(NEW) },
    {
      kind: 'a new file renamed over it',
      make: async () => replaceWith(textOf(NEW)),
    },
    {
      kind: 'a deletion and a new file',
      make: async () => {
        await rm(file);
        await untilBroken('does not exist');
        await replaceWith(textOf(NEW));
      },
    },
  ])('by $kind is followed', async ({ make }) => {
    const tokens = await open();

    await make();

    await waitFor('the old token refused', async () => !(await accepts(tokens, OLD)));
    const added =
      (await accepts(tokens, NEW)) || (await accepts(tokens, 'tok_longer_than_before_0123456789'));
    expect(added).toBe(true);
    expect(linesWith('token file reloaded')).toHaveLength(1);
  });

  test('of the target that a symbolic link leads to is followed', async () => {
    const versions = [path.join(folder, 'v1.json'), path.join(folder, 'v2.json')] as const;
    await write(OLD, versions[0]);
    await write(NEW, versions[1]);
    // As Kubernetes mounts secrets: a new link is renamed over the old one.
    const current = path.join(folder, 'current.json');
    await symlink(versions[0], current);
    const tokens = await open({ path: current });

    await symlink(versions[1], `${current}.tmp`);
    await rename(`${current}.tmp`, current);

    await untilAccepted(tokens, NEW);
    expect(await accepts(tokens, OLD)).toBe(false);
  });

  test('is noticed within two seconds with the default interval', async () => {
    const tokens = await openTokenFile({ path: file, log: memory.log });
    opened.push(tokens);

    const writtenMs = performance.now();
    await write(NEW);
    await untilAccepted(tokens, NEW);

    expect(performance.now() - writtenMs).toBeLessThan(2000);
  });

  test('of the same size within one tick of the file system clock is followed', async () => {
    const tokens = await openAndEditAtOnce({});

    await untilAccepted(tokens, NEW);

    expect(await accepts(tokens, OLD)).toBe(false);
  });

  test('of that kind is followed even when the next check comes late', async () => {
    let lateMs = 0;
    const tokens = await openAndEditAtOnce({ now: () => Date.now() + lateMs });

    lateMs = 60_000;
    await untilAccepted(tokens, NEW);

    expect(await accepts(tokens, OLD)).toBe(false);
  });

  test('of the same size is noticed by its time stamps alone when the last change is long ago', async () => {
    const tokens = await open({ now: () => Date.now() + 60_000 });
    const { mtimeNs } = statSync(file, { bigint: true });

    await waitFor('the next tick', () => {
      writeFileSync(file, textOf(NEW));
      return statSync(file, { bigint: true }).mtimeNs > mtimeNs;
    });
    await untilAccepted(tokens, NEW);

    expect(await accepts(tokens, OLD)).toBe(false);
  });

  test('with a time ahead of the clock is read for two seconds, and then only when it changes again', async () => {
    let nowMs = Date.now() - 3_600_000;
    let reads = 0;
    // The clock is asked once for each time that the file is read.
    const now = (): number => {
      reads += 1;
      return nowMs;
    };
    const tokens = await open({ now, pollMs: 1 });
    await waitFor('another reading', () => reads > 3);
    nowMs += 2_000;
    await tokens.reload();
    const readsBefore = reads;

    await delay(50);
    const readsMeanwhile = reads - readsBefore;
    await write(NEW);
    await waitFor('the change', () => linesWith('token file reloaded').length > 0);

    expect(readsMeanwhile).toBe(0);
  });

  test('of the same size with its time set back, as by a copy that keeps times, is followed', async () => {
    const past = new Date('2026-01-01');
    utimesSync(file, past, past);
    const before = statSync(file, { bigint: true });
    const tokens = await open({ now: () => Date.now() + 60_000 });

    await waitFor('the next tick', () => {
      writeFileSync(file, textOf(NEW));
      utimesSync(file, past, past);
      return statSync(file, { bigint: true }).ctimeNs > before.ctimeNs;
    });
    await untilAccepted(tokens, NEW);

    expect(await accepts(tokens, OLD)).toBe(false);
  });

  test('that removes the last token takes effect: no token is valid any more', async () => {
    const tokens = await open();

    await writeFile(file, '{}');

    await waitFor('the old token refused', async () => !(await accepts(tokens, OLD)));
    expect(tokens.hasValidToken('ada')).toBe(false);
  });

  test('of only the access time or the mode is no new version', async () => {
    const tokens = await open();

    await chmod(file, 0o400);
    await tokens.reload();

    expect(linesWith('token file reloaded')).toEqual([]);
    expect(await accepts(tokens, OLD)).toBe(true);
  });

  test('is not followed after close', async () => {
    const closed = await open();
    closed.close();
    const other = await open();

    await write(NEW);
    await untilAccepted(other, NEW);

    expect(await accepts(closed, OLD)).toBe(true);
    expect(await accepts(closed, NEW)).toBe(false);
  });
});

describe('an invalid version', () => {
  test('leaves the last good tokens in force and is logged once, without its content', async () => {
    const tokens = await open();

    await replaceWith(`{"${NEW}": {"userId": ""}}`);
    await untilBroken('entry 1 field "userId" must not be empty');
    for (let look = 0; look < 5; look += 1) await tokens.reload();

    expect(await accepts(tokens, OLD)).toBe(true);
    expect(linesWith(BROKEN)).toEqual([expect.objectContaining({ level: 'error' })]);
    expect(JSON.stringify(memory.lines)).not.toContain(NEW);
  });

  test('is logged each time that another one comes, also with the same fault', async () => {
    const tokens = await open({ pollMs: 3_600_000 });

    for (const text of ['{"tok_a":{}}', '{"tok_b":{}}', '{"tok_b":{}}', '{"tok_a":{}}']) {
      await replaceWith(text);
      await tokens.reload();
    }

    expect(memory.lines.filter(({ msg }) => msg === BROKEN)).toHaveLength(3);
  });

  test('is logged again when its fault changes', async () => {
    const tokens = await open();

    await replaceWith('{"a":{}}');
    await untilBroken('entry 1 needs "userId", a string');
    await replaceWith('[]');
    await untilBroken(/must be a JSON object/);
    await tokens.reload();

    expect(linesWith(BROKEN)).toHaveLength(2);
  });

  test('is replaced by the next valid one', async () => {
    const tokens = await open();

    await replaceWith('nonsense');
    await untilBroken(/^not valid JSON/);
    await replaceWith(textOf(NEW));
    await untilAccepted(tokens, NEW);

    expect(await accepts(tokens, OLD)).toBe(false);
    expect(linesWith('token file reloaded')).toHaveLength(1);
  });

  test('is over when the same tokens as before come back, which is logged', async () => {
    const tokens = await open();
    await rm(file);
    await untilBroken('does not exist');

    await replaceWith(textOf(OLD));
    await waitFor('the reload', () => linesWith('token file reloaded').length === 1);
    // Broken again in the same way: a new failure, so a new line.
    await rm(file);
    await waitFor('the second failure', () => linesWith(BROKEN).length === 2);

    expect(await accepts(tokens, OLD)).toBe(true);
  });

  test('that is only half written is replaced as soon as it is complete', async () => {
    const tokens = await open();
    const text = JSON.stringify({ [OLD]: { userId: 'ada' }, [NEW]: { userId: 'ada' } });

    await writeFile(file, text.slice(0, text.length / 2));
    await untilBroken(/^not valid JSON/);
    const meanwhile = await accepts(tokens, OLD);
    await appendFile(file, text.slice(text.length / 2));
    await untilAccepted(tokens, NEW);

    expect(meanwhile).toBe(true);
    expect(await accepts(tokens, OLD)).toBe(true);
  });

  test.each([
    { what: 'a directory', make: async () => mkdir(file) },
    { what: 'a FIFO', make: makeFifo },
  ])('that is $what does not block, and the tokens stay in force', async ({ make }) => {
    const tokens = await open();

    await rm(file);
    await make();
    await untilBroken('is not a regular file');
    const meanwhile = await accepts(tokens, OLD);
    await rm(file, { recursive: true });
    await replaceWith(textOf(NEW));
    await untilAccepted(tokens, NEW);

    expect(meanwhile).toBe(true);
  });
});

describe('reload()', () => {
  const never = { pollMs: 3_600_000 };

  test('loads a new version at once', async () => {
    const tokens = await open(never);

    await write(NEW);
    await tokens.reload();

    expect([await accepts(tokens, NEW), await accepts(tokens, OLD)]).toEqual([true, false]);
  });

  test('remembers removed tokens, which are refused as revoked', async () => {
    let nowMs = Date.parse('2026-03-04T23:59:59Z');
    const tokens = await open({ ...never, now: () => nowMs });

    await write(NEW);
    await tokens.reload();
    nowMs += 86_400_000;

    const revoked = await tokens.verify(OLD);
    expect(revoked).toMatchObject({ ok: false, reason: 'revoked', since: '2026-03-04' });
    expect(revoked).toMatchObject({ grant: { tokenId: expect.stringMatching(/^[0-9a-f]{8}$/) } });
    expect(JSON.stringify(revoked)).not.toContain(OLD);
    expect(await tokens.verify('tok_other_0123456789')).toEqual({ ok: false, reason: 'unknown' });
    await write(OLD);
    await tokens.reload();
    expect(await accepts(tokens, OLD)).toBe(true);
  });

  test('of an unchanged file does nothing', async () => {
    const tokens = await open(never);

    await tokens.reload();

    expect(memory.lines.map((line) => line['msg'])).toEqual(['token file loaded']);
  });

  test('of a missing file does not reject', async () => {
    const tokens = await open(never);

    await rm(file);
    await tokens.reload();

    expect(await accepts(tokens, OLD)).toBe(true);
    expect(linesWith(BROKEN)).toHaveLength(1);
  });

  test('called a thousand times at once reads the file at most twice, and includes what was written before', async () => {
    let reads = 0;
    const now = (): number => {
      // The clock is asked once for each time that the file is read.
      reads += 1;
      return 0;
    };
    const tokens = await open({ ...never, now });
    reads = 0;

    const first = tokens.reload();
    await write(NEW);
    await Promise.all([first, ...Array.from({ length: 1_000 }, async () => tokens.reload())]);

    expect(reads).toBeLessThanOrEqual(2);
    expect(await accepts(tokens, NEW)).toBe(true);
  });

  test('called several times at once ends with the newest version', async () => {
    const tokens = await open(never);

    await write('tok_between_0123456789');
    const first = tokens.reload();
    await write(NEW);
    await Promise.all([first, tokens.reload(), tokens.reload()]);

    expect(await accepts(tokens, NEW)).toBe(true);
  });
});

describe('the warning about other readers', () => {
  const WARNING = 'token file can be read by other users of this machine';

  test.each(['644', '640', '604', '602'])(
    'is logged for mode %s with the command that fixes it',
    async (mode) => {
      await chmod(file, Number.parseInt(mode, 8));

      await open();

      expect(linesWith(WARNING)).toEqual([
        expect.objectContaining({ level: 'warn', fix: `chmod 600 ${file}` }),
      ]);
    },
  );

  test('has a command that works for any path', async () => {
    const odd = path.join(folder, "it's a $HOME file.json");
    await writeFile(odd, textOf(OLD));
    await chmod(odd, 0o644);
    await open({ path: odd });
    const fix = String(linesWith(WARNING)[0]?.['fix']);

    execFileSync('sh', ['-c', fix]);

    expect((await stat(odd)).mode & 0o777).toBe(0o600);
  });

  test.each(['600', '400'])('is not logged for mode %s', async (mode) => {
    await chmod(file, Number.parseInt(mode, 8));

    await open();

    expect(linesWith(WARNING)).toEqual([]);
  });

  test('is not logged for group access to a file of another user, through which the server may be reading it', async () => {
    await chmod(file, 0o640);
    if (process.getuid?.() === 0) await chown(file, 1234, 0);

    await open();

    const isOwn = process.getuid?.() !== 0;
    expect(memory.lines.filter(({ fix }) => fix !== undefined)).toHaveLength(isOwn ? 1 : 0);
  });

  test('is logged again for a new version that others can read', async () => {
    const tokens = await open();

    await writeFile(`${file}.tmp`, textOf(NEW));
    await chmod(`${file}.tmp`, 0o644);
    await rename(`${file}.tmp`, file);
    await untilAccepted(tokens, NEW);
    await tokens.reload();

    expect(linesWith(WARNING)).toHaveLength(1);
  });
});

describe('the log line about a new version', () => {
  const never = { pollMs: 3_600_000 };

  test('counts added, removed and changed tokens, and names them by token id', async () => {
    await writeFile(file, JSON.stringify({ tok_a: { userId: 'ada' }, tok_b: { userId: 'bob' } }));
    const tokens = await open(never);

    await replaceWith(JSON.stringify({ tok_b: { userId: 'bob', disabled: true }, tok_c: { userId: 'eve' } }));
    await tokens.reload();

    expect(linesWith('token file reloaded')).toEqual([
      expect.objectContaining({
        tokens: 2,
        added: 1,
        removed: 1,
        changed: 1,
        addedIds: [tokenIdOf(digestToken('tok_c'))],
        removedIds: [tokenIdOf(digestToken('tok_a'))],
        changedIds: [tokenIdOf(digestToken('tok_b'))],
      }),
    ]);
    expect(JSON.stringify(memory.lines)).not.toMatch(/tok_[abc]/);
  });

  test.each([
    { tokens: 19, named: true },
    { tokens: 20, named: false },
  ])('for $tokens added tokens and one removed has their ids: $named', async ({ tokens: count, named }) => {
    const tokens = await open(never);
    const entries = Array.from({ length: count }, (_, index) => [`tok_${index}`, { userId: 'ada' }]);

    await replaceWith(JSON.stringify(Object.fromEntries(entries)));
    await tokens.reload();

    const [line] = linesWith('token file reloaded');
    expect(line).toMatchObject({ added: count, removed: 1, changed: 0 });
    expect(line !== undefined && 'addedIds' in line).toBe(named);
  });
});

describe('a listener for changed rights', () => {
  test('is called once when a token has other scopes, with the user before and after', async () => {
    const tokens = await open({ pollMs: 3_600_000 });
    const heard: RightsChange[] = [];
    tokens.onRightsChange?.((changes) => heard.push(...changes));

    await writeFile(file, JSON.stringify({ [OLD]: { userId: 'ada', scopes: ['greet'] } }));
    await tokens.reload();
    await tokens.reload();

    expect(heard).toEqual([
      {
        before: expect.not.objectContaining({ scopes: expect.anything() }),
        after: expect.objectContaining({ userId: 'ada', scopes: ['greet'] }),
      },
    ]);
  });

  test('is not called for tokens that are added, removed or changed otherwise', async () => {
    const tokens = await open({ pollMs: 3_600_000 });
    const heard: unknown[] = [];
    tokens.onRightsChange?.((changes) => heard.push(changes));

    await writeFile(
      file,
      JSON.stringify({ [OLD]: { userId: 'ada', name: 'Ada' }, [NEW]: { userId: 'bob' } }),
    );
    await tokens.reload();
    await write(NEW);
    await tokens.reload();

    expect(heard).toEqual([]);
  });
});

describe('tokens from a text', () => {
  test('are in force', async () => {
    expect(await accepts(loadTokens(textOf(OLD), { log: createMemoryLog().log }), OLD)).toBe(true);
  });

  test('are refused when there are none', () => {
    expect(() => loadTokens('{}', { log: createMemoryLog().log })).toThrow('holds no token');
  });
});

/** Runs a function without the rights of root, which can read every file. */
async function asOrdinaryUser<T>(run: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return run();
  process.seteuid?.(65_534);
  try {
    return await run();
  } finally {
    process.seteuid?.(0);
  }
}

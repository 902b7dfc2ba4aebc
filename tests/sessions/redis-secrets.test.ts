/**
 * While SERVER_SECRET is being replaced, processes with a secret in common find in a real Redis what any of them has stored, whichever secret comes
 * first.
 */
import { randomBytes } from 'node:crypto';
import { symlink } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { createSealer } from '../../src/sealed.ts';
import type { Peers } from '../../src/sessions/peers.ts';
import { createRedisPeers } from '../../src/sessions/redis/redis-peers.ts';
import { createSandbox, waitFor } from '../support/process.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../support/redis.ts';

const [OLD, NEXT] = [randomBytes(32).toString('base64url'), randomBytes(32).toString('base64url')];
const LIFE_MS = 60_000;

/** The processes of a server, by the secrets that they have. */
type Setting = 'old' | 'old,next' | 'next,old' | 'next';

/** Which processes run beside or after each other when each step is taken everywhere before the next one. */
const PAIRS: readonly (readonly [Setting, Setting])[] = [
  ['old', 'old,next'],
  ['old,next', 'old'],
  ['old', 'next,old'],
  ['old,next', 'next,old'],
  ['next,old', 'old,next'],
  ['next,old', 'next'],
  ['next', 'next,old'],
];

describeWithRedis('processes of which some have the next secret', () => {
  const sandbox = createSandbox();
  const joined = new Map<Setting, Peers>();
  let redis: TestRedis;
  let names = 0;

  /** A process. */
  const at = (setting: Setting): Peers => {
    const peers = joined.get(setting);
    if (peers === undefined) throw new Error('no such process');
    return peers;
  };
  /** A name that no other test has used. */
  const newName = (): string => `thing ${(names += 1)}`;
  /** Joins the others. */
  const join = async (setting: Setting, url = redis.url): Promise<Peers> => {
    const secrets = setting.split(',').map((which) => (which === 'old' ? OLD : NEXT));
    const peers = await createRedisPeers({
      url,
      prefix: 't:',
      sealer: createSealer(secrets),
      log: pino({ level: 'silent' }),
    });
    await waitFor('a peer', () => peers.standing === 'together');
    return peers;
  };

  /** All commands that Redis has run, except those of the connections themselves. */
  const countOf = async (action: () => Promise<unknown>): Promise<string> => {
    redis.ask('config', 'resetstat');
    await action();
    return [...redis.ask('info', 'commandstats').matchAll(/cmdstat_(\w+):calls=(\d+)/g)]
      .filter(([, name = '']) => !/^(auth|config|info|ping|time|publish|pubsub|set)$/.test(name))
      .map(([, name, calls]) => `${name} ${calls}`)
      .toSorted()
      .join(', ');
  };

  beforeAll(async () => {
    redis = await startRedis(sandbox);
    for (const setting of ['old', 'old,next', 'next,old', 'next'] as const)
      joined.set(setting, await join(setting));
  });
  afterAll(async () => {
    await Promise.all([...joined.values()].map(async (peers) => peers.close()));
    await sandbox.close();
  });

  test.each(PAIRS)('a mark that a process with %s has set is seen with %s', async (one, other) => {
    const name = newName();
    await at(one).marks.set(name, LIFE_MS);

    expect(await at(other).marks.has(name)).toBe(true);
    expect(await at(other).marks.has(newName())).toBe(false);
  });

  test('the latest claim counts, whichever process had the one before', async () => {
    const name = newName();
    const before: unknown[] = [];
    for (const setting of ['old', 'next,old', 'old,next', 'next,old', 'next', 'next,old'] as const)
      before.push(await at(setting).marks.swap(name, `of ${setting}`, LIFE_MS));

    expect(before).toEqual([undefined, 'of old', 'of next,old', 'of old,next', 'of next,old', 'of next']);
  });

  test('of concurrent claims one finds none before it, and each of the others a different one', async () => {
    const name = newName();
    const claims = Array.from({ length: 20 }, async (_, index) =>
      at(index % 2 === 0 ? 'old,next' : 'next,old').marks.swap(name, String(index), LIFE_MS),
    );

    const before = await Promise.all(claims);

    expect(before).toContain(undefined);
    expect(new Set(before).size).toBe(claims.length);
  });

  test.each(PAIRS)('a record that a process with %s has written is read with %s', async (one, other) => {
    const name = newName();
    await at(one).records.write(name, { level: 'error', about: 'ü' }, LIFE_MS);

    expect(await at(other).records.read(name)).toEqual(new Map([['level', 'error'], ['about', 'ü']])); // prettier-ignore
  });

  test.each(PAIRS)(
    'fields of a record of %s that %s writes or takes back are as it says',
    async (one, other) => {
      const name = newName();
      await at(one).records.write(name, { level: 'error', kept: '1', gone: '1' }, LIFE_MS);
      await at(other).records.write(name, { level: 'info', gone: undefined }, LIFE_MS);

      expect(Object.fromEntries(await at(other).records.read(name))).toEqual({ level: 'info', kept: '1' });
    },
  );

  test('a field that is written without the old secret takes precedence over the one under the old secret', async () => {
    const name = newName();
    await at('old,next').records.write(name, { level: 'error' }, LIFE_MS);
    await at('next').records.write(name, { level: 'info' }, LIFE_MS);

    expect((await at('next,old').records.read(name)).get('level')).toBe('info');
  });

  test('every reader of a field that is written in turn gets its latest value, never none', async () => {
    const name = newName();
    await at('old').records.write(name, { level: '0' }, LIFE_MS);
    const levels: (string | undefined)[] = [];
    for (let turn = 1; turn <= 100; turn += 1) {
      const writer = turn % 2 === 0 ? 'old,next' : 'next,old';
      const written = at(writer).records.write(name, { level: String(turn) }, LIFE_MS);
      const read = (['old,next', 'next,old'] as const).map(async (reader) => at(reader).records.read(name));
      levels.push(...(await Promise.all(read)).map((record) => record.get('level')));
      await written;
    }

    expect(levels).not.toContain(undefined);
    for (const setting of ['old,next', 'next,old'] as const)
      expect((await at(setting).records.read(name)).get('level')).toBe('100');
  });

  test.each(PAIRS.filter(([, other]) => other.includes(',')))(
    'a record of %s is one with what %s adds: it lives on as a whole, and is removed as a whole',
    async (one, other) => {
      redis.ask('flushall');
      const name = newName();
      await at(one).records.write(name, { kept: '1' }, 1_000);
      await at(other).records.write(name, { more: '2' }, LIFE_MS);
      const keys = redis.ask('keys', 't:record:*').split('\n');
      const lives = keys.map((key) => Number(redis.ask('pttl', key)));
      await at(other).records.remove(name);

      expect(Math.min(...lives)).toBeGreaterThan(1_000);
      expect(redis.ask('keys', 't:record:*')).toBe('');
    },
  );

  test('with one secret, each operation takes the same commands as without a replacement', async () => {
    const { marks, records } = at('old');
    expect(await countOf(async () => marks.has('x'))).toBe('exists 1');
    expect(await countOf(async () => marks.swap('x', '1', LIFE_MS))).toBe('');
    expect(await countOf(async () => records.write('x', { a: '1' }, LIFE_MS))).toBe(
      'exec 1, hset 1, multi 1, pexpire 1',
    );
    expect(await countOf(async () => records.read('x'))).toBe('hgetall 1');
    expect(await countOf(async () => records.remove('x'))).toBe('del 1');
  });

  test('REDIS_URL may have a socket with encoded characters and a database', async () => {
    const socket = redis.url.replace('unix://', '');
    await symlink(socket, `${socket} 100%`);
    const peers = await join('old', `${redis.url}%20100%25?db=3`);
    await peers.marks.set('x', LIFE_MS);

    expect(redis.ask('-n', '3', 'keys', 't:mark:*')).toMatch(/^t:mark:/);
    await peers.close();
  });

  // The last one, since it looks back at all the others.
  test('all this needs no other rights than those of a server', () => {
    expect(redis.denied()).toBe('');
  });
});

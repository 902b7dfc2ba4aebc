/** The two connections of a process to Redis or Valkey, one for commands and one that listens. They reconnect by themselves, without end. */
import type { Logger } from 'pino';
import type { Keys } from './keys.ts';
import { createRedisClock, type RedisClock } from './redis-clock.ts';
import { reasonOf, REPORT_MS } from './refusals.ts';

/** What a connection is made from. */
export interface RedisConnectionOptions {
  readonly url: string;
  /** The channels to listen to. */
  readonly channels: readonly string[];
  readonly log: Logger;
  /** A monotonic clock. Milliseconds. */
  readonly now: () => number;
  onMessage(channel: string, bytes: Buffer): void;
  /** Called whenever both connections are usable again. */
  onUp(): void;
}

/** A field of a hash. */
export type HashField = readonly [field: string, value: Buffer];

/** Changes of fields of a hash. */
export interface HashFields {
  readonly set: readonly HashField[];
  readonly unset: readonly string[];
}

/** The two connections as one. Commands reject at once while they are down. */
export interface RedisConnection {
  /** Whether both are usable. */
  readonly isUp: boolean;
  /** When they last became usable, by `now`. */
  readonly upSinceMs: number;
  readonly wasEverUp: boolean;
  /** Settles when both are usable, when the first try has failed, or when it takes too long. */
  readonly firstTry: Promise<void>;
  /** The time of the Redis server, which all processes share. */
  readonly clock: RedisClock;
  /** Resolves to the number of receivers. */
  publish(channel: string, bytes: Buffer): Promise<number>;
  /** How many listen to a channel. */
  countListeners(channel: string): Promise<number>;
  /** Sets the first key and deletes the others; resolves to the value that any of them had. */
  set(keys: Keys, value: string, lifeMs: number): Promise<string | undefined>;
  /** Whether one of the keys exists. */
  has(keys: Keys): Promise<boolean>;
  delete(keys: Keys): Promise<void>;
  /**
   * Sets and deletes fields of a hash, and sets its time to live, all or nothing. A field that is set moves to the first key, so that only
   * its latest value exists.
   */
  writeFields(keys: Keys, fields: HashFields, lifeMs: number): Promise<void>;
  /** The fields of each of the keys, read at one moment. */
  readFields(keys: Keys): Promise<readonly (readonly HashField[])[]>;
  close(): void;
}

/** The longest pause before the next try to connect. Milliseconds. */
const MAX_PAUSE_MS = 2_000;

/** How long the first try is waited for. Milliseconds. */
const FIRST_TRY_MS = 2_000;

/** Begins to connect, without waiting until the connections are there. */
export async function connectRedis(options: RedisConnectionOptions): Promise<RedisConnection> {
  const { channels, log, now } = options;
  // Loaded here and nowhere else: without a REDIS_URL no start waits for it.
  const { createClient, RESP_TYPES } = await import('@redis/client');
  const commands = createClient(clientOptionsFor(options.url));
  const bytesOf = commands.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  const listener = commands.duplicate();
  const clock = createRedisClock(async () => {
    const [seconds = 0, micros = 0] = (await commands.time()).map(Number);
    return seconds * 1_000 + micros / 1_000;
  }, now);
  let isTimed = false;
  let isSubscribed = false;
  let isUp = false;
  let wasEverUp = false;
  let upSinceMs = 0;
  let reportedAtMs = -Infinity;
  let isClosed = false;
  let endFirstTry: (() => void) | undefined;
  const firstTry = new Promise<void>((resolve) => {
    const late = setTimeout(resolve, FIRST_TRY_MS);
    endFirstTry = () => {
      clearTimeout(late);
      resolve();
    };
  });

  /** Updates `isUp`, and logs a change of it. */
  const look = (): void => {
    if (isClosed) return;
    const before = isUp;
    isUp = commands.isReady && listener.isReady && isSubscribed && isTimed;
    if (isUp === before) return;
    if (!isUp) return log.warn('redis lost');
    log.info(wasEverUp ? 'redis is back' : 'redis reached');
    [wasEverUp, upSinceMs, reportedAtMs] = [true, now(), -Infinity];
    options.onUp();
    endFirstTry?.();
  };
  /** Subscribes to the channels, once: the client itself subscribes again after a loss. */
  const subscribe = async (): Promise<void> => {
    if (!isSubscribed)
      await Promise.all(
        channels.map(async (channel) =>
          listener.subscribe(channel, (bytes) => options.onMessage(channel, bytes), true),
        ),
      );
    isSubscribed = true;
    look();
  };
  /** Logs that Redis cannot be reached, once in a while. */
  const report = (error: unknown): void => {
    endFirstTry?.();
    // The end of a connection that is closed here rejects what was under way.
    if (isClosed) return;
    look();
    const nowMs = now();
    if (nowMs - reportedAtMs < REPORT_MS) return;
    reportedAtMs = nowMs;
    log.warn({ reason: reasonOf(error) }, 'redis cannot be reached');
  };
  /** Reads the clock of Redis until that has worked. */
  const readClock = async (): Promise<void> => {
    while (!(await clock.read()));
    isTimed = true;
    look();
  };
  commands.on('ready', () => void readClock().catch(report));
  // After a loss the address may lead to another Redis, with another clock.
  commands.on('reconnecting', () => (isTimed = false));
  listener.on('ready', () => void subscribe().catch(report));
  for (const client of [commands, listener]) {
    client.on('error', report);
    client.on('reconnecting', look);
    // It settles only when the connection is there.
    void client.connect().catch(report);
  }

  return {
    get isUp() {
      return isUp && commands.isReady && listener.isReady;
    },
    get upSinceMs() {
      return upSinceMs;
    },
    get wasEverUp() {
      return wasEverUp;
    },
    firstTry,
    clock,
    publish: async (channel, bytes) => commands.publish(channel, bytes),
    countListeners: async (channel) => (await commands.pubSubNumSub(channel))[channel] ?? 0,
    async set([own, ...others], value, lifeMs) {
      const how = { expiration: { type: 'PX', value: lifeMs }, GET: true } as const;
      if (others.length === 0) return (await commands.set(own, value, how)) ?? undefined;
      const multi = commands.multi();
      multi.set(own, value, how);
      for (const key of others) multi.getDel(key);
      const replies: readonly unknown[] = await multi.exec();
      return replies.find((reply) => typeof reply === 'string');
    },
    has: async (keys) => (await commands.exists([...keys])) > 0,
    delete: async (keys) => void (await commands.del([...keys])),
    async writeFields([own, ...others], { set, unset }, lifeMs) {
      const multi = commands.multi();
      if (set.length > 0) multi.hSet(own, new Map(set));
      if (unset.length > 0) multi.hDel(own, [...unset]);
      multi.pExpire(own, lifeMs);
      const fields = [...set.map(([field]) => field), ...unset];
      for (const key of others) multi.hDel(key, fields).pExpire(key, lifeMs);
      await multi.exec();
    },
    async readFields([own, ...others]) {
      if (others.length === 0) return [Object.entries(await bytesOf.hGetAll(own))];
      // oxlint-disable-next-line no-unsafe-type-assertion -- as the script answers; the client's types know nothing of scripts
      const all = (await bytesOf.eval(READ_ALL, { keys: [own, ...others] })) as unknown as Buffer[][];
      return all.map(pairUp);
    },
    close() {
      isClosed = true;
      endFirstTry?.();
      for (const client of [commands, listener]) if (client.isOpen) client.destroy();
    },
  };
}

/** Reads several hashes at one moment. A transaction would, too, but the client decodes its replies as text. */
const READ_ALL = `
local all = {}
for index, key in ipairs(KEYS) do all[index] = redis.call('HGETALL', key) end
return all`;

/** The fields of a hash, from a list of names and values in turn. */
function pairUp(parts: readonly Buffer[]): HashField[] {
  return parts.flatMap((part, index) => {
    const value = parts[index + 1];
    return index % 2 === 0 && value !== undefined ? [[part.toString(), value] as const] : [];
  });
}

/** The options of the client. Its defaults queue without end, and notice a Redis that hangs late or never. */
function clientOptionsFor(url: string) {
  const socket = {
    connectTimeout: 2_000,
    // With a ping every second, such a silence means that Redis hangs.
    socketTimeout: 3_000,
    reconnectStrategy: (retries: number) =>
      Math.min(50 * 2 ** retries, MAX_PAUSE_MS) * (0.5 + Math.random() / 2),
  };
  return {
    url,
    socket,
    pingInterval: 1_000,
    disableOfflineQueue: true,
    // The default is a timer for each command, which costs several times as much as the command. The types do not allow to leave it out.
    // oxlint-disable-next-line no-unsafe-type-assertion -- undefined is what the client itself takes for none
    commandOptions: { timeout: undefined } as unknown as { readonly timeout?: number },
    maintNotifications: 'disabled' as const,
  };
}

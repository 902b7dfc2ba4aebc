/** The two connections of a process to Redis or Valkey: one for commands, one that listens. They come back by themselves, however long it takes. */
import type { Logger } from 'pino';
import type { Keys } from './keys.ts';
import { createRedisClock, type RedisClock } from './redis-clock.ts';

/** What a connection is made from. */
export interface RedisConnectionOptions {
  readonly url: string;
  /** What is listened to. */
  readonly channels: readonly string[];
  readonly log: Logger;
  /** A clock that nobody sets. */
  readonly now: () => number;
  onMessage(channel: string, bytes: Buffer): void;
  /** Called whenever it can be used again. */
  onUp(): void;
}

/** A field of a hash. */
export type HashField = readonly [field: string, value: Buffer];

/** What becomes of fields of a hash. */
export interface HashFields {
  readonly set: readonly HashField[];
  readonly unset: readonly string[];
}

/** A connection. Its commands reject at once while it is down. */
export interface RedisConnection {
  /** Whether both can be used. */
  readonly isUp: boolean;
  /** Since when. Milliseconds of a clock that nobody sets. */
  readonly upSinceMs: number;
  readonly wasEverUp: boolean;
  /** Settles when both can be used, or the first try has failed, or takes too long. */
  readonly firstTry: Promise<void>;
  /** Its time, which all processes share. */
  readonly clock: RedisClock;
  /** How many have received it. */
  publish(channel: string, bytes: Buffer): Promise<number>;
  /** How many listen to a channel. */
  countListeners(channel: string): Promise<number>;
  /** Sets the own key, and takes out the others; says what was there, under whichever. */
  set(keys: Keys, value: string, lifeMs: number): Promise<string | undefined>;
  /** Whether there is one of them. */
  has(keys: Keys): Promise<boolean>;
  delete(keys: Keys): Promise<void>;
  /**
   * Sets fields of a hash, takes out others, and gives it a time to live, all or nothing. A field that is set moves to the own key, so that
   * there is one of it, the latest.
   */
  writeFields(keys: Keys, fields: HashFields, lifeMs: number): Promise<void>;
  /** The fields under each of the keys, at one moment. */
  readFields(keys: Keys): Promise<readonly (readonly HashField[])[]>;
  close(): void;
}

/** While it cannot be reached, the log says so so often. Milliseconds. */
const REPORT_MS = 60_000;

/** The longest pause before another try. Milliseconds. */
const MAX_PAUSE_MS = 2_000;

/** The first try is waited for so long. Milliseconds. */
const FIRST_TRY_MS = 2_000;

/** Connects, without waiting for it. */
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
  let endFirstTry: (() => void) | undefined;
  const firstTry = new Promise<void>((resolve) => {
    const late = setTimeout(resolve, FIRST_TRY_MS);
    endFirstTry = () => {
      clearTimeout(late);
      resolve();
    };
  });

  /** Looks whether both can be used. */
  const look = (): void => {
    const before = isUp;
    isUp = commands.isReady && listener.isReady && isSubscribed && isTimed;
    if (isUp === before) return;
    if (!isUp) return log.warn('redis lost');
    log.info(wasEverUp ? 'redis is back' : 'redis reached');
    [wasEverUp, upSinceMs, reportedAtMs] = [true, now(), -Infinity];
    options.onUp();
    endFirstTry?.();
  };
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
  const report = (error: unknown): void => {
    look();
    endFirstTry?.();
    const nowMs = now();
    if (nowMs - reportedAtMs < REPORT_MS) return;
    reportedAtMs = nowMs;
    log.warn({ reason: reasonOf(error) }, 'redis cannot be reached');
  };
  const readClock = async (): Promise<void> => {
    while (!(await clock.read()));
    isTimed = true;
    look();
  };
  commands.on('ready', () => void readClock().catch(report));
  // After a loss another Redis may be there, whose clock is another one.
  commands.on('reconnecting', () => (isTimed = false));
  // The client itself subscribes again after a loss.
  listener.on('ready', () => void subscribe().catch(report));
  for (const client of [commands, listener]) {
    client.on('error', report);
    client.on('reconnecting', look);
    // It settles when the connection is there, or never.
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
      endFirstTry?.();
      for (const client of [commands, listener]) if (client.isOpen) client.destroy();
    },
  };
}

/** Reads several hashes at one moment. A transaction would as well, but the client takes what that answers for texts. */
const READ_ALL = `
local all = {}
for index, key in ipairs(KEYS) do all[index] = redis.call('HGETALL', key) end
return all`;

/** The fields of a hash, from names and values in turn. */
function pairUp(parts: readonly Buffer[]): HashField[] {
  return parts.flatMap((part, index) => {
    const value = parts[index + 1];
    return index % 2 === 0 && value !== undefined ? [[part.toString(), value] as const] : [];
  });
}

/** How the client is to behave; its defaults queue without end, and notice a Redis that hangs late or never. */
function clientOptionsFor(url: string) {
  const socket = {
    connectTimeout: 2_000,
    // With a ping a second, it is a Redis that hangs.
    socketTimeout: 3_000,
    reconnectStrategy: (retries: number) =>
      Math.min(50 * 2 ** retries, MAX_PAUSE_MS) * (0.5 + Math.random() / 2),
  };
  return {
    url,
    socket,
    pingInterval: 1_000,
    disableOfflineQueue: true,
    // A timer for each command, which is the default, is several times the price of the command. The types do not know how to leave it out.
    // oxlint-disable-next-line no-unsafe-type-assertion -- undefined is what the client itself takes for none
    commandOptions: { timeout: undefined } as unknown as { readonly timeout?: number },
    maintNotifications: 'disabled' as const,
  };
}

/** Why it cannot be reached, without an address or what else a message may hold: `ECONNREFUSED`, `WRONGPASS`, `NOAUTH`. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const inner = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  if (inner instanceof Error && 'code' in inner && typeof inner.code === 'string') return inner.code;
  return /^[A-Z]{4,}\b/.exec(error.message)?.[0] ?? error.constructor.name;
}

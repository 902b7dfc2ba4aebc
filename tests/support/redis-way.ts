/** A TCP proxy in front of a Redis that can be cut, be slow, or hold data back: simulates faults between a process and its Redis. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Transform, type Writable } from 'node:stream';
import type { Sandbox } from './process.ts';
import type { TestRedis } from './redis.ts';

/** An open proxy. */
export interface RedisWay {
  /** The address of Redis through this proxy. */
  readonly url: string;
  /** Cuts every connection, and refuses new ones. */
  cut(): void;
  /** Accepts connections again. */
  mend(): void;
  /** Holds back everything that Redis sends on the open connections, until `handOn`. */
  hold(): void;
  handOn(): void;
  /** Stops reading from Redis on the connections that subscribe, while Redis goes on sending. New connections are not affected. */
  holdListeners(): void;
}

/** Opens a proxy, which ends with the sandbox. `delayMs` delays everything that Redis sends. */
export async function openRedisWay(
  sandbox: Sandbox,
  redis: TestRedis,
  { delayMs = 0 }: { readonly delayMs?: number } = {},
): Promise<RedisWay> {
  const lines = new Set<Socket>();
  const listeners = new Set<Socket>();
  /** Where to pass on what Redis sends, by its connection. */
  const ways = new Map<Socket, Writable>();
  let isCut = false;
  const way = createServer((client) => {
    if (isCut) {
      client.destroy();
      return;
    }
    const upstream = connect(redis.url.replace('unix://', ''));
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      lines.add(from);
      from.on('error', () => undefined).on('close', () => to.destroy());
    }
    client.on('data', (bytes: Buffer) => {
      if (/\bsubscribe\b/i.test(bytes.toString('latin1'))) listeners.add(upstream);
    });
    client.pipe(upstream);
    const slow = delayMs > 0 ? createDelay(delayMs) : undefined;
    slow?.pipe(client);
    ways.set(upstream, slow ?? client);
    upstream.pipe(slow ?? client);
  }).listen(0, '127.0.0.1');
  sandbox.defer(async () => {
    for (const line of lines) line.destroy();
    way.close();
  });
  await once(way, 'listening');
  const { port } = way.address() as AddressInfo;
  return {
    url: `redis://127.0.0.1:${port}`,
    cut() {
      isCut = true;
      for (const line of lines) line.destroy();
    },
    mend: () => void (isCut = false),
    hold: () => ways.forEach((_to, upstream) => upstream.unpipe()),
    handOn: () => ways.forEach((to, upstream) => upstream.pipe(to)),
    holdListeners() {
      for (const upstream of listeners) upstream.unpipe().pause();
    },
  };
}

/** Makes a stream that passes everything on later, in order. */
function createDelay(delayMs: number): Transform {
  return new Transform({
    transform(bytes, _encoding, done) {
      setTimeout(() => done(null, bytes), delayMs);
    },
  });
}

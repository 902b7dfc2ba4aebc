/** Limits connections: how many there are, how many come from one address, and how long a client may leave its answer unread. */
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { responseOf } from './response-of.ts';

/** The limits of connections. */
export interface ConnectionLimits {
  readonly maxConnections: number;
  /** Connections from this machine are not counted: they come through a proxy, or from the operator. */
  readonly maxConnectionsPerAddress: number;
  /** How long a client may read nothing of the data that waits for it. */
  readonly unreadMs?: number;
  readonly log: Logger;
}

/** How many file descriptors are left free for files, modules and the log. */
const RESERVED_DESCRIPTORS = 64;

/** The name in the log of the operating system's limit, which `ulimit -n` shows. */
const OPEN_FILES = 'open files';

/** The shortest time between two log lines that say that connections are turned away. */
const WORD_EVERY_MS = 60_000;

/** Applies the limits to the connections of a server. */
export function guardConnections(
  server: Server,
  { maxConnections, maxConnectionsPerAddress, unreadMs = 30_000, log }: ConnectionLimits,
): void {
  const descriptors = findDescriptorLimit() ?? Infinity;
  const limit = Math.min(maxConnections, Math.max(1, descriptors - RESERVED_DESCRIPTORS));
  const sayFull = createSparingWord((turnedAway) =>
    log.warn(
      { limit: limit < maxConnections ? OPEN_FILES : 'MAX_CONNECTIONS', most: limit, turnedAway },
      'connections are turned away: there are too many',
    ),
  );
  const saySelfish = createSparingWord((turnedAway) =>
    log.warn(
      { limit: 'MAX_CONNECTIONS_PER_ADDRESS', most: maxConnectionsPerAddress, turnedAway },
      'connections are turned away: too many come from one address',
    ),
  );
  // Node closes connections above the limit before it reads anything from them.
  server.maxConnections = limit;
  server.on('drop', sayFull);

  const countOf = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const { remoteAddress: address = '' } = socket;
    if (isThisMachine(address)) return;
    const count = countOf.get(address) ?? 0;
    if (count >= maxConnectionsPerAddress) {
      saySelfish();
      socket.destroy();
      return;
    }
    countOf.set(address, count + 1);
    socket.once('close', () => {
      const left = (countOf.get(address) ?? 1) - 1;
      if (left === 0) countOf.delete(address);
      else countOf.set(address, left);
    });
  });

  // Node restarts this time with everything that the client sends or reads. Between two requests its keepAliveTimeout holds instead.
  server.setTimeout(unreadMs, (socket) => {
    if (socket.writableLength > 0 || responseOf(socket) === undefined) socket.destroy();
  });
}

/** Warns if the process may open fewer file descriptors than so many sessions need: each needs a connection. */
export function warnAboutDescriptors(maxSessions: number, log: Logger): void {
  const limit = findDescriptorLimit();
  const needed = maxSessions + RESERVED_DESCRIPTORS;
  if (limit === undefined || limit >= needed) return;
  log.warn(
    { limit, needed },
    'too few descriptors for MAX_SESSIONS: raise the limit (ulimit -n, LimitNOFILE, --ulimit nofile), or lower MAX_SESSIONS',
  );
}

/** How many file descriptors this process may have open; undefined if the system does not tell. */
function findDescriptorLimit(): number | undefined {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}

/** Whether an address is a loopback address. */
function isThisMachine(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address) || address === '';
}

/** Makes a function that calls `say` at its first call, then at most once a minute, with how often it was called since the last time. */
function createSparingWord(say: (times: number) => void): () => void {
  let saidAtMs = -Infinity;
  let times = 0;
  return () => {
    times += 1;
    const nowMs = performance.now();
    if (nowMs - saidAtMs < WORD_EVERY_MS) return;
    say(times);
    saidAtMs = nowMs;
    times = 0;
  };
}

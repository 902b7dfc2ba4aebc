/** Bounds connections: how many there are, how many from one address, and how long one may keep an answer waiting that it does not read. */
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { responseOf } from './response-of.ts';

/** The bounds. */
export interface ConnectionLimits {
  readonly maxConnections: number;
  /** Those of this machine do not count: they come through a proxy, or from whoever runs the server. */
  readonly maxConnectionsPerAddress: number;
  /** How long a client may take nothing of what waits for it. */
  readonly unreadMs?: number;
  readonly log: Logger;
  readonly now?: () => number;
}

/** Descriptors that connections leave to files, modules and the log. */
const RESERVED_DESCRIPTORS = 64;

/** What the log calls the system's own limit, which `ulimit -n` shows. */
const OPEN_FILES = 'open files';

/** How often at the most the log says that connections are turned away. */
const WORD_EVERY_MS = 60_000;

/** Bounds the connections of a server. */
export function guardConnections(
  server: Server,
  {
    maxConnections,
    maxConnectionsPerAddress,
    unreadMs = 30_000,
    log,
    now = () => performance.now(),
  }: ConnectionLimits,
): void {
  const descriptors = findDescriptorLimit() ?? Infinity;
  const limit = Math.min(maxConnections, Math.max(1, descriptors - RESERVED_DESCRIPTORS));
  const sayFull = createSparingWord(now, (turnedAway) =>
    log.warn(
      { limit: limit < maxConnections ? OPEN_FILES : 'MAX_CONNECTIONS', most: limit, turnedAway },
      'connections are turned away: there are too many',
    ),
  );
  const saySelfish = createSparingWord(now, (turnedAway) =>
    log.warn(
      { limit: 'MAX_CONNECTIONS_PER_ADDRESS', most: maxConnectionsPerAddress, turnedAway },
      'connections are turned away: too many come from one address',
    ),
  );
  // Node closes those beyond it before anything is read.
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

  // Node starts the time anew with everything that the client sends or takes, and takes its own one between two requests.
  server.setTimeout(unreadMs, (socket) => {
    if (socket.writableLength > 0 || responseOf(socket) === undefined) socket.destroy();
  });
}

/** Says when the process may open fewer descriptors than that many sessions need; each needs a connection. */
export function warnAboutDescriptors(maxSessions: number, log: Logger): void {
  const limit = findDescriptorLimit();
  const needed = maxSessions + RESERVED_DESCRIPTORS;
  if (limit === undefined || limit >= needed) return;
  log.warn(
    { limit, needed },
    'too few descriptors for MAX_SESSIONS: raise the limit (ulimit -n, LimitNOFILE, --ulimit nofile), or lower MAX_SESSIONS',
  );
}

/** How many descriptors this process may have open, where the system tells. */
function findDescriptorLimit(): number | undefined {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}

/** Whether an address is one of this machine's own loop. */
function isThisMachine(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address) || address === '';
}

/** Says something the first time and then once a minute, with how often there was reason to. */
function createSparingWord(now: () => number, say: (times: number) => void): () => void {
  let saidAtMs = -Infinity;
  let times = 0;
  return () => {
    times += 1;
    if (now() - saidAtMs < WORD_EVERY_MS) return;
    say(times);
    saidAtMs = now();
    times = 0;
  };
}

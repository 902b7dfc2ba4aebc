/** Shuts a server down without losing calls to proxies that do not know of it yet: the order in which connections are given up. */
import type { Server, ServerResponse } from 'node:http';
import { Server as NetServer } from 'node:net';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

/** How long a shutdown takes. Milliseconds. */
export interface LeaveOptions {
  /** How long proxies and load balancers have to learn of the shutdown; 0 if there are none. */
  readonly delayMs: number;
  /** How long everything after the delay may take. */
  readonly graceMs: number;
  readonly now?: () => number;
}

/** The shutdown of one server. */
export interface Leave {
  /** Call it with each request, before the request is answered. */
  onRequest(res: ServerResponse): void;
  /** Waits for the delay, and then until no new connections come or for a little longer; everything is served meanwhile. */
  announce(server: Server): Promise<void>;
  /** Stops listening; resolves when the last connection is closed. */
  stopListening(server: Server): Promise<void>;
  /** Whether connections without a request may be closed: none is on its way to them. */
  mayCloseIdle(): boolean;
}

/** After so long without a new connection, proxies have as many as they need. Milliseconds. */
const QUIET_MS = 100;

/** The longest wait for that moment; under a load that opens a connection for each call it never comes. Milliseconds. */
const PATIENCE_MS = 2_000;

/** After so long without a request, nobody sends on the connections that are left. Milliseconds. */
const IDLE_MS = 1_000;

/** Makes the shutdown of a server. */
export function createLeave({ delayMs, graceMs, now = () => performance.now() }: LeaveOptions): Leave {
  let isLastAnswer = false;
  let lastRequestMs = now();
  const idleMs = delayMs === 0 ? 0 : Math.min(IDLE_MS, graceMs / 4);
  return {
    onRequest(res) {
      if (isLastAnswer) res.setHeader('Connection', 'close');
      lastRequestMs = now();
    },
    async announce(server) {
      isLastAnswer = true;
      if (delayMs === 0) return;
      await delay(delayMs);
      // A proxy that has not noticed the shutdown, such as nginx, which makes no health checks, opens a connection for each call until the
      // last moment. When listening stops, the system resets the connections that still wait to be accepted, with the requests on them:
      // 502. So connections are kept open until no new one comes: later requests come on those that are there, and each of these is told
      // again to close.
      isLastAnswer = false;
      await untilNoneComes(server, now);
      isLastAnswer = true;
    },
    async stopListening(server) {
      // The server's own `close()` closes idle connections at once, and a request may be on its way on one.
      await promisify(NetServer.prototype.close.bind(server))();
      // Does the rest of what `close()` does.
      server.close(() => undefined);
    },
    mayCloseIdle: () => now() - lastRequestMs >= idleMs,
  };
}

/** Waits until no connection waits to be accepted and none has come for a while; gives up after {@link PATIENCE_MS}. */
async function untilNoneComes(server: Server, now: () => number): Promise<void> {
  const begunMs = now();
  let lastMs = begunMs;
  const note = (): void => void (lastMs = now());
  server.on('connection', note);
  do {
    await delay(QUIET_MS / 5);
    // Node.js accepts one connection in each turn of the event loop: if none came in a whole turn, none waits.
    await nextTurn();
  } while (now() - lastMs < QUIET_MS && now() - begunMs < PATIENCE_MS);
  server.off('connection', note);
}

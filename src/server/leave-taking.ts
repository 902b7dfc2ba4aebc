/** How a server goes without losing a call to proxies that have not heard of it: the order in which connections are given up. */
import type { Server, ServerResponse } from 'node:http';
import { Server as NetServer } from 'node:net';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

/** How long it takes. Milliseconds. */
export interface LeaveOptions {
  /** For so long whoever sends work here may learn that the server goes; 0 where nobody is in front. */
  readonly delayMs: number;
  /** What all that comes after it may take. */
  readonly graceMs: number;
  readonly now?: () => number;
}

/** The leave that one server takes. */
export interface Leave {
  /** To be called with each request, before it is answered. */
  onRequest(res: ServerResponse): void;
  /** Waits until nobody sends work here, or for the delay and a little more; everything is served meanwhile. */
  announce(server: Server): Promise<void>;
  /** Listens no more; resolves when the last connection is closed. */
  stopListening(server: Server): Promise<void>;
  /** Whether connections without a request may be closed: there is none on its way to them. */
  mayCloseIdle(): boolean;
}

/** No connection for so long: those who send have enough of them. Milliseconds. */
const QUIET_MS = 100;

/** How long that is waited for; under a load that takes a connection for each call it never comes. Milliseconds. */
const PATIENCE_MS = 2_000;

/** How long without a request until nobody sends on connections that are left. Milliseconds. */
const IDLE_MS = 1_000;

/** Makes the leave of a server. */
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
      // A proxy that has not noticed, as nginx, which asks nobody, opens a connection for each call until the last moment, and the
      // system resets those that still wait to be taken when listening stops, with the requests on them: 502. So connections may
      // live on, until none comes: what is sent from then on comes on those that are there, and each of them is told again.
      isLastAnswer = false;
      await untilNoneComes(server, now);
      isLastAnswer = true;
    },
    async stopListening(server) {
      // http's own close() closes at once what is idle, and a request may be on its way there.
      await promisify(NetServer.prototype.close.bind(server))();
      // What it does besides.
      server.close(() => undefined);
    },
    mayCloseIdle: () => now() - lastRequestMs >= idleMs,
  };
}

/** Waits for a moment in which no connection waits to be taken and none has come for a while. */
async function untilNoneComes(server: Server, now: () => number): Promise<void> {
  const begunMs = now();
  let lastMs = begunMs;
  const note = (): void => void (lastMs = now());
  server.on('connection', note);
  do {
    await delay(QUIET_MS / 5);
    // Node takes one connection in each turn of the event loop: when none came in a whole one, none waits.
    await nextTurn();
  } while (now() - lastMs < QUIET_MS && now() - begunMs < PATIENCE_MS);
  server.off('connection', note);
}

/** The open connections of a server: closes those whose clients read too slowly for too long, and at a shutdown those that are left. */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { responseOf } from './response-of.ts';

/** How long data may be waiting for a client at every look, however slowly it reads. Milliseconds. */
const BEHIND_MS = 10 * 60_000;

/** The open connections of a server. */
export class OpenConnections {
  readonly #server: Server;
  readonly #now: () => number;
  readonly #all = new Set<Socket>();
  /** Connections that have not brought a request yet. Clients open some in advance; closeIdleConnections() does not close them. */
  readonly #unasked = new Set<Socket>();
  /** Since when data has been waiting at every look, by connection. */
  readonly #behindSinceMs = new Map<Socket, number>();

  constructor(server: Server, now: () => number = () => performance.now()) {
    this.#server = server;
    this.#now = now;
    server.on('connection', (socket) => {
      this.#all.add(socket);
      this.#unasked.add(socket);
      socket.on('close', () => {
        this.#all.delete(socket);
        this.#unasked.delete(socket);
        this.#behindSinceMs.delete(socket);
      });
    });
    server.on('request', ({ socket }) => {
      if (this.#unasked.size > 0) this.#unasked.delete(socket);
    });
  }

  /** Closes connections on which data has been waiting at every look for too long. To be called every few seconds. */
  cutThoseBehind(): void {
    const nowMs = this.#now();
    for (const socket of this.#all) {
      const sinceMs = this.#behindSinceMs.get(socket);
      if (socket.writableLength === 0) {
        if (sinceMs !== undefined) this.#behindSinceMs.delete(socket);
      } else if (sinceMs === undefined) this.#behindSinceMs.set(socket, nowMs);
      else if (nowMs - sinceMs >= BEHIND_MS) socket.destroy();
    }
  }

  /** Closes connections that wait for a request or do not finish one. To be called at a shutdown, again and again until none is left. */
  sweep({ mayCloseIdle, mayCutUnfinished }: Sweep): void {
    if (mayCloseIdle) {
      this.#server.closeIdleConnections();
      for (const socket of this.#unasked) socket.destroy();
    }
    if (!mayCutUnfinished) return;
    for (const socket of this.#all) {
      const isComplete = responseOf(socket)?.req.complete;
      // A connection without a response is idle, or has got a part of a head. Only Node knows which, and it has just closed the idle ones.
      if (isComplete === false || (isComplete === undefined && mayCloseIdle)) socket.destroy();
    }
  }
}

/** Which connections may be closed. */
export interface Sweep {
  /** Those without a request: none is on its way to them. */
  readonly mayCloseIdle: boolean;
  /** Those with a part of a request: they have had their time. */
  readonly mayCutUnfinished: boolean;
}

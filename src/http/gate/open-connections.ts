/** The open connections of a server: an end to those that are for ever behind with what they have been sent, and at a shutdown to what is left. */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { responseOf } from './response-of.ts';

/** So long something may wait for a client at each look, however slowly it reads. Milliseconds. */
const BEHIND_MS = 10 * 60_000;

/** The open connections of a server. */
export class OpenConnections {
  readonly #server: Server;
  readonly #now: () => number;
  readonly #all = new Set<Socket>();
  /** Those without a whole request yet. Clients open some in advance; closeIdleConnections() spares them. */
  readonly #unasked = new Set<Socket>();
  /** Since when clients have been behind, by their connection. */
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

  /** Cuts those for which something has waited at each look for too long; somebody must look every few seconds. */
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

  /** At a shutdown, again and again until all are gone: closes what waits for a request, and what has begun one and does not go on with it. */
  sweep({ mayCloseIdle, mayCutUnfinished }: Sweep): void {
    if (mayCloseIdle) {
      this.#server.closeIdleConnections();
      for (const socket of this.#unasked) socket.destroy();
    }
    if (!mayCutUnfinished) return;
    for (const socket of this.#all) {
      const isComplete = responseOf(socket)?.req.complete;
      // What answers nothing waits for a request, or has got a part of its head: which of them, Node alone knows, and has closed the former.
      if (isComplete === false || (isComplete === undefined && mayCloseIdle)) socket.destroy();
    }
  }
}

/** What may be given up. */
export interface Sweep {
  /** Connections without a request: none is on its way to them. */
  readonly mayCloseIdle: boolean;
  /** Connections with a part of one: they have had their time. */
  readonly mayCutUnfinished: boolean;
}

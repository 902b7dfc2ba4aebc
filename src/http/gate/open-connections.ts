/** The open connections of a server: an end to those that are for ever behind with what they have been sent, and at a shutdown to what is left. */
import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

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

  /** At a shutdown: closes what waits for a request, again and again until all are gone. */
  closeIdle(): void {
    this.#server.closeIdleConnections();
    for (const socket of this.#unasked) socket.destroy();
  }

  /** At a shutdown: cuts those that have begun a request and do not send the rest of it. */
  cutUnfinished(): void {
    for (const socket of this.#all) if (isReceiving(socket)) socket.destroy();
  }
}

/** Whether the body of a connection's request has not come to its end. */
function isReceiving(socket: Socket): boolean {
  // Where Node's own handling looks; its types leave it out.
  const { _httpMessage: response } = socket as Socket & { _httpMessage?: ServerResponse | null };
  return response?.req.complete === false;
}

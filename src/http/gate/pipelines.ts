/** Pipelined requests, which a client sends before it has the answers to earlier ones: handles one at a time, each in its own event-loop turn. */
import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';

/** How many requests of a connection may wait; one more closes it, for which clients must be ready (RFC 9112, section 9.3.2). */
const MAX_WAITING = 100;

/**
 * Wraps a handler so that a request waits until those before it on its connection are answered. A buffer of 64 KiB holds thousands of short
 * requests, and the system delivers many such buffers at once: without this, one client's would all be answered before anybody else's is
 * looked at. Besides, a request whose response has no connection yet would not learn that its client has gone.
 */
export function inTurn(handle: RequestListener): RequestListener {
  const waiting = new WeakMap<Socket, number>();
  return (req, res) => {
    // Node gives a response the connection when the response before it has ended.
    if (res.socket !== null) {
      handle(req, res);
      return;
    }
    const { socket } = req;
    // This request was parsed together with one that ended the connection.
    if (socket.destroyed) return;
    const count = (waiting.get(socket) ?? 0) + 1;
    if (count > MAX_WAITING) {
      socket.destroy();
      return;
    }
    waiting.set(socket, count);
    res.once('socket', () => {
      waiting.set(socket, (waiting.get(socket) ?? 1) - 1);
      setImmediate(() => {
        if (!socket.destroyed) handle(req, res);
      });
    });
  };
}

/** Requests that a client sends before it has the answers to those in front of them: one at a time, and each in a turn of the event loop of its own. */
import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';

/** So many requests of one connection may wait; one more ends it (RFC 9112, section 9.3.2, has clients ready for that). */
const MAX_WAITING = 100;

/**
 * Has a request wait until the answers in front of it are out. A buffer of 64 KiB holds thousands of short requests, and the system
 * hands over many such buffers in one go: one client's would be answered before anybody else's is looked at. Nor would a request whose
 * response has no connection yet hear that its client has gone.
 */
export function inTurn(handle: RequestListener): RequestListener {
  const waiting = new WeakMap<Socket, number>();
  return (req, res) => {
    // Node gives a response its connection when the one before it is done with it.
    if (res.socket !== null) {
      handle(req, res);
      return;
    }
    const { socket } = req;
    // What was parsed along with the request that ended it.
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

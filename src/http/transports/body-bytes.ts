/** Collects the bytes of a request body, up to a limit, in hardly more memory than they take. */
import type { IncomingMessage } from 'node:http';
import { HttpError } from '../errors.ts';

/** JSON-RPC's code for what is not JSON. */
export const PARSE_ERROR = -32_700;

/** The body's bytes, if they are not too many: what comes beyond the limit is not kept. Rejects with an {@link HttpError}: 413, or 400. */
export function readBytes(req: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const collected = new Collected();
    const take = (chunk: Buffer): void => {
      if (collected.length + chunk.length <= maxBytes) collected.add(chunk);
      else refuse();
    };
    const refuse = (): void => {
      // Who answers decides what becomes of the rest.
      req.off('data', take).pause();
      reject(tooLarge(maxBytes));
    };
    if (Number(req.headers['content-length'] ?? 0) > maxBytes) refuse();
    else req.on('data', take);
    req.on('end', () => resolve(collected.bytes));
    // Node's own parser sees to it that the body is as long as was said; one that ends early never comes to its end. That is
    // an error too, but of those that are not emitted when nobody listens.
    req.on('close', () => {
      if (!req.readableEnded) reject(incomplete());
    });
  });
}

/** Room for what comes after a first chunk. Bytes. */
const FIRST_ROOM = 16 * 1024;

/**
 * Bytes in one piece. Chunks are copied and not kept: each is an object of some hundred bytes, and a client may send them with one
 * byte in them. Only the first is left as it came, because it is mostly the whole body.
 */
class Collected {
  length = 0;
  #room: Buffer = EMPTY;

  /** Adds a chunk. */
  add(chunk: Buffer): void {
    if (this.length === 0) this.#room = chunk;
    else {
      const needed = this.length + chunk.length;
      if (needed > this.#room.length) this.#grow(Math.max(needed, FIRST_ROOM, 2 * this.#room.length));
      chunk.copy(this.#room, this.length);
    }
    this.length += chunk.length;
  }

  /** What has been added. */
  get bytes(): Buffer {
    return this.#room.subarray(0, this.length);
  }

  /** Makes room. */
  #grow(size: number): void {
    const room = Buffer.allocUnsafeSlow(size);
    this.#room.copy(room, 0, 0, this.length);
    this.#room = room;
  }
}

const EMPTY = Buffer.alloc(0);

/** The refusal of a body over the limit. */
function tooLarge(maxBytes: number): HttpError {
  return new HttpError(413, 'body_too_large', `The body must not be larger than ${maxBytes} bytes.`);
}

/** The refusal of a body whose client has gone before it was there. */
function incomplete(): HttpError {
  return new HttpError(400, 'incomplete_body', 'The body ended before it was complete.', {
    rpcCode: PARSE_ERROR,
  });
}

/** The bytes of a body while they come in, in hardly more memory than they take. */

/** The smallest buffer for a body of several chunks. Bytes. */
const FIRST_ROOM = 16 * 1024;

/**
 * Collects bytes in one buffer. Chunks are copied, not kept: each is an object of some hundred bytes, and a client may send chunks of one
 * byte. Only the first chunk is used as it came, because it is mostly the whole body.
 */
export class CollectedBytes {
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

  /** The bytes that have been added. */
  get bytes(): Buffer {
    return this.length === this.#room.length ? this.#room : this.#room.subarray(0, this.length);
  }

  /** Moves the bytes to a larger buffer. */
  #grow(size: number): void {
    const room = Buffer.allocUnsafeSlow(size);
    this.#room.copy(room, 0, 0, this.length);
    this.#room = room;
  }
}

const EMPTY = Buffer.alloc(0);

/** Bounds how many bytes of one user's large bodies are held at a time: many bodies that are sent slowly would otherwise fill the memory. */

/** The size from which on a body counts: smaller ones are never refused because of those that come slowly. Bytes. */
export const LARGE_BODY_BYTES = 64 * 1024;

/** The bytes of large bodies that are held, by user. */
export class UploadBudget {
  readonly #bytesPerUser: number;
  readonly #heldBy = new Map<string, number>();

  constructor(bytesPerUser: number) {
    this.#bytesPerUser = bytesPerUser;
  }

  /** Claims bytes for a user, to be released later; returns false when there is no room for them. */
  claim(userId: string, bytes: number): boolean {
    const held = (this.#heldBy.get(userId) ?? 0) + bytes;
    if (held > this.#bytesPerUser) return false;
    this.#heldBy.set(userId, held);
    return true;
  }

  /** Releases bytes that were claimed for a user. */
  release(userId: string, bytes: number): void {
    const held = (this.#heldBy.get(userId) ?? 0) - bytes;
    if (held > 0) this.#heldBy.set(userId, held);
    else this.#heldBy.delete(userId);
  }
}

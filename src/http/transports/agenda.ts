/** Entries that become due at a time: one timer serves thousands of them, and touches only those that are due. */

/** The resolution of the times on an agenda. Milliseconds. */
const SLOT_MS = 500;

/** The entries of one slot. An entry that no longer waits is deleted from it by its owner. */
export type Slot<Entry> = Set<Entry>;

/** Entries by the time they are due, in slots. */
export class Agenda<Entry> {
  readonly #slots = new Map<number, Slot<Entry>>();

  /** Adds an entry for a time, in milliseconds of a monotonic clock; returns its slot. It becomes due within half a second after that time. */
  add(entry: Entry, dueMs: number): Slot<Entry> {
    const index = Math.ceil(dueMs / SLOT_MS);
    let slot = this.#slots.get(index);
    if (slot === undefined) this.#slots.set(index, (slot = new Set()));
    slot.add(entry);
    return slot;
  }

  /** Removes and returns the entries that are due. */
  takeDue(nowMs: number): Entry[] {
    const due: Entry[] = [];
    for (const [index, slot] of this.#slots) {
      if (index * SLOT_MS > nowMs) continue;
      this.#slots.delete(index);
      due.push(...slot);
    }
    return due;
  }
}

/** What is to be done at a time: thousands of entries and one timer, which touches only those that are due. */

/** How finely it tells times apart. Milliseconds. */
const SLOT_MS = 500;

/** The entries of one slot; whoever is no longer waiting is deleted from it. */
export type Slot<Entry> = Set<Entry>;

/** Entries by the time they are due, in slots. */
export class Agenda<Entry> {
  readonly #slots = new Map<number, Slot<Entry>>();

  /** Enters something for a time, in milliseconds of a clock that nobody sets. It is due within half a second after that. */
  add(entry: Entry, dueMs: number): Slot<Entry> {
    const index = Math.ceil(dueMs / SLOT_MS);
    let slot = this.#slots.get(index);
    if (slot === undefined) this.#slots.set(index, (slot = new Set()));
    slot.add(entry);
    return slot;
  }

  /** Takes what is due off the agenda. */
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

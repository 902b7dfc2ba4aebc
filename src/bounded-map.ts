/** A map for what clients can make grow: it holds the latest entries and forgets the oldest. */

/** A map with at most so many entries. Setting a key makes its entry the latest, even if the key was there before. */
export class BoundedMap<Key, Value> extends Map<Key, Value> {
  readonly #most: number;
  /** One walk for all of its life: each new walk would pass over the place of every entry that was deleted before the oldest. */
  readonly #oldestFirst: MapIterator<Key>;

  constructor(most: number) {
    super();
    this.#most = most;
    this.#oldestFirst = this.keys();
  }

  override set(key: Key, value: Value): this {
    this.delete(key);
    while (this.size >= this.#most) {
      const { value: oldest, done } = this.#oldestFirst.next();
      if (done === true) break;
      this.delete(oldest);
    }
    return super.set(key, value);
  }
}

/** Seeded random values: the same words give the same values, so that a case can be repeated. */

/** A source of random values. */
export interface Random {
  /** A whole number from `min` to `max`, both included. */
  int(min: number, max: number): number;
  chance(probability: number): boolean;
  pick<T>(list: readonly [T, ...T[]] | readonly T[]): T;
  /** One of the values; a higher weight makes it more likely. */
  weighted<T>(entries: readonly (readonly [weight: number, value: T])[]): T;
  /** This many bytes. */
  bytes(length: number): Buffer;
}

/** Makes the source for these words. */
export function createRandom(...words: readonly (string | number)[]): Random {
  let state = hash(words.join('/'));
  // mulberry32: small, fast, and good enough to wander through a grammar.
  /** From 0 to 1, without 1. */
  const float = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (min: number, max: number): number => min + Math.floor(float() * (max - min + 1));
  const pick = <T>(list: readonly T[]): T => {
    const found = list[int(0, list.length - 1)];
    if (list.length === 0) throw new Error('Nothing to pick from.');
    // oxlint-disable-next-line no-unsafe-type-assertion -- the index is within the list, whose items may be undefined
    return found as T;
  };
  return {
    int,
    pick,
    chance: (probability) => float() < probability,
    weighted(entries) {
      let left = float() * entries.reduce((sum, [weight]) => sum + weight, 0);
      const found = entries.find(([weight]) => (left -= weight) < 0) ?? entries[0];
      if (found === undefined) throw new Error('Nothing to pick from.');
      return found[1];
    },
    bytes: (length) => Buffer.from(Array.from({ length }, () => int(0, 255))),
  };
}

/** FNV-1a over the characters, and a final mix, so that similar texts give quite different values. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1)
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x45d9f3b);
  return value ^ (value >>> 16);
}

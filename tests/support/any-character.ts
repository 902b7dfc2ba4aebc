/** Characters of every kind, for properties that hold of any text. */
import * as fc from 'fast-check';

/** Halves of surrogate pairs are no characters: where they begin, and how many there are. */
const [HALVES_FROM, HALVES] = [0xd800, 0x800];

/** Any character of Unicode. fast-check's own (`unit: 'binary'`) draws up a table of all of them, which takes each test file a second. */
export const anyCharacter = fc.integer({ min: 0, max: 0x10_ffff - HALVES }).map(characterOf, numberOf);

/** The character with this number. */
function characterOf(number: number): string {
  return String.fromCodePoint(number < HALVES_FROM ? number : number + HALVES);
}

/** The number of a character. */
function numberOf(value: unknown): number {
  const [character = '', ...others] = typeof value === 'string' ? value : '';
  const code = character.codePointAt(0);
  if (code === undefined || others.length > 0) throw new Error('This is not one character.');
  return code < HALVES_FROM ? code : code - HALVES;
}

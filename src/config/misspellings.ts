/** Finds variables whose names are nearly those of the server's: one that is ignored could leave authentication off. */
import type { Environment } from './environment.ts';

/** Shorter names are too near to those of other programs. Characters. */
const MIN_LENGTH = 8;

/** From this length on a name may contain two slips, a shorter one only one. Characters. */
const LONG = 11;

/** Returns the problems with the names that are set: each that is nearly the name of a known variable, with the name that is meant. */
export function findMisspellings(environment: Environment, known: readonly string[]): string[] {
  const names = new Set(known);
  const isSuspect = (name: string): boolean =>
    name.length >= MIN_LENGTH - 1 && !names.has(name) && (environment[name] ?? '').trim() !== '';
  const suspects = Object.keys(environment).filter(isSuspect);
  return suspects.flatMap((name) => {
    const meant = known.find((candidate) => isMeant(name.toUpperCase(), candidate));
    return meant === undefined
      ? []
      : [`${name} is no variable of this server; ${meant} is. Correct or unset it.`];
  });
}

/**
 * Whether a name is a misspelling of another. Without its underscores (AUTHENABLED) it must be the very same: programs of all kinds have
 * such names.
 */
function isMeant(name: string, candidate: string): boolean {
  if (name.includes('_')) return isNearly(name, candidate);
  return name.replaceAll(/[^A-Z0-9]/g, '') === candidate.replaceAll('_', '');
}

/** Whether a name differs from another by no more slips than its length allows. */
function isNearly(name: string, candidate: string): boolean {
  const most = candidate.length >= LONG ? 2 : 1;
  return (
    candidate.length >= MIN_LENGTH &&
    Math.abs(name.length - candidate.length) <= most &&
    slipsBetween(name, candidate, most) <= most
  );
}

/**
 * How many letters must be inserted, deleted, replaced or swapped with their neighbour (optimal string alignment); if they are more than
 * `most`, the number is any above it.
 */
function slipsBetween(one: string, other: string, most: number): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_value, index) => index);
  for (let row = 1; row <= one.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const isSame = one[row - 1] === other[column - 1];
      const isSwapped =
        row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      current[column] = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (isSame ? 0 : 1),
        isSwapped ? (beforeLast[column - 2] ?? 0) + 1 : Infinity,
      );
    }
    beforeLast = last;
    last = current;
    // Later rows build on these two: nearly always, the first few letters decide.
    if (Math.min(...beforeLast, ...last) > most) return Infinity;
  }
  return last[other.length] ?? 0;
}

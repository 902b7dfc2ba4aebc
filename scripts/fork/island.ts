/** What an island is: a part of the server that a fork may live without. */

/** Where an island is wired: whole lines with a name in them, or a part of a line. */
export type Wiring = { readonly file: string } & ({ readonly linesWith: string } | { readonly part: string });

/** Something that can be taken out. */
export interface Island {
  readonly name: string;
  readonly what: string;
  /** What a client meets in its place. */
  readonly without: string;
  /** Files, and folders. */
  readonly files: readonly string[];
  readonly wiring: readonly Wiring[];
  /** Tests, and what helps them, that are of nothing else. */
  readonly tests: readonly string[];
  /** What is in a test that uses it beside other things. */
  readonly usedBy?: RegExp;
  /** The names of islands that stand on this one, and go with it. */
  readonly carries?: readonly string[];
  /** Packages that nothing else needs. */
  readonly packages: readonly string[];
}

/** The form of an island: a part of the server that a fork can remove. */

/** A place where an island is wired: whole lines that contain a text, or a part of a line. */
export type Wiring = { readonly file: string } & ({ readonly linesWith: string } | { readonly part: string });

/** A part that can be removed. */
export interface Island {
  readonly name: string;
  readonly what: string;
  /** What a client meets when it is gone. */
  readonly without: string;
  /** Its files and folders. */
  readonly files: readonly string[];
  readonly wiring: readonly Wiring[];
  /** Tests, and their support files, that are about this island alone. */
  readonly tests: readonly string[];
  /** Matches tests that use it among other things. */
  readonly usedBy?: RegExp;
  /** The names of the islands that depend on this one, and are removed with it. */
  readonly carries?: readonly string[];
  /** The packages that only this island needs. */
  readonly packages: readonly string[];
}

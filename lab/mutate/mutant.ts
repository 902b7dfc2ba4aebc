/** A change of one place in the sources that some test must notice. */
export interface Mutant {
  /** What it does, in a line. */
  readonly name: string;
  /** The file, from the root. */
  readonly file: string;
  /** Where in the file's text it begins. */
  readonly start: number;
  /** What stands there, and what is put in its place. */
  readonly before: string;
  readonly after: string;
  /** The tests of which one must notice it. Default: all that concern its file. */
  readonly tests?: readonly string[];
}

/** The line of a place in a text. */
export function lineOf(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

/** A change of one place in the sources that some test must notice. */
export interface Mutant {
  /** A description of the change, in one line. */
  readonly name: string;
  /** The path of the file, from the root of the checkout. */
  readonly file: string;
  /** The index in the file's text at which the change begins. */
  readonly start: number;
  /** The text that is replaced, and its replacement. */
  readonly before: string;
  readonly after: string;
  /** The tests of which one must fail. Default: all that reach the place. */
  readonly tests?: readonly string[];
}

/** The line number of an index in a text. */
export function lineOf(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

/** Mutants that no test can notice, or need not, each with the reason. */

/** An explanation: of the mutants of a file that are made of this text. */
export interface Explanation {
  readonly file: string;
  /** What stands there before. */
  readonly before: string;
  readonly why: string;
}

export const EXPLAINED: readonly Explanation[] = [];

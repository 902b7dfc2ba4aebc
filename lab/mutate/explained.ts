/** Mutants that no test can notice, or need not, each with the reason. */

/** An explanation: of the mutants of a file that are made of this text. */
export interface Explanation {
  readonly file: string;
  /** What stands there before. */
  readonly before: string;
  readonly why: string;
}

export const EXPLAINED: readonly Explanation[] = [
  {
    file: 'src/auth/sign-in/derived-tokens.ts',
    before: 'opened.set(key, fresh);',
    why: 'Without the memory the token is opened again, to the same end; only the bench tells.',
  },
];

/** Mutants that no test can notice, or need not notice, and the reason for each. */

/** An explanation for the mutants of a file that replace this text. */
export interface Explanation {
  readonly file: string;
  /** The text that the mutant replaces. */
  readonly before: string;
  readonly why: string;
}

export const EXPLAINED: readonly Explanation[] = [
  {
    file: 'src/auth/sign-in/derived-tokens.ts',
    before: 'opened.set(key, fresh);',
    why: 'Without the memory the token is opened again, to the same end; only the bench tells.',
  },
  {
    file: 'src/mcp/known-answers.ts',
    before: 'maySee(user, scope)',
    why: 'With the two signs exchanged everywhere, who sees the same still has the same key, and nobody else.',
  },
  {
    file: 'src/auth/tokens/file-version.ts',
    before: '<',
    why: 'Exactly two seconds after a change the file is read once more, or not: to the same end.',
  },
  {
    file: 'src/http/transports/stateless-endpoint.ts',
    before: '      while (calls.',
    why: 'It matters to a call alone that begins in the turn in which the last one ends: the SDK has nothing of it yet to close, and answers it.',
  },
];

/** What the process finds around it: facts that are in no variable, and that say whether others are meant to come. */
import { existsSync } from 'node:fs';
import { DEFAULT_TOKENS_FILE } from './auth.ts';

/** What is found at the start. */
export interface Surroundings {
  /** Whether the default token file is there, so that somebody has made tokens. */
  readonly hasTokenFile: boolean;
  /**
   * Whether this is the first process of a container, which a person who works in one never starts. The marks that container
   * engines leave (such as `/.dockerenv`) do not count: people develop, and tests run, in containers too.
   */
  readonly isContainer: boolean;
}

/** The surroundings on a laptop on which nothing has been set up. */
export const NOTHING_AROUND: Surroundings = { hasTokenFile: false, isContainer: false };

/** Finds the surroundings of the process with this id. */
export function lookAround({ pid }: { readonly pid: number }): Surroundings {
  return { hasTokenFile: existsSync(DEFAULT_TOKENS_FILE), isContainer: pid === 1 };
}

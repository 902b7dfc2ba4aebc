/** Tests for which there is only time in CI: further examples of what other tests prove once. The end of a run names those it skipped. */
import { test } from '@jest/globals';
import { hasTime } from './reduced.mjs';

/** A test that runs with CI=true, and is skipped otherwise. */
export const testInCi = hasTime ? test : test.skip;

/** What `npm run conformance -- --help` prints. */
import { SIGN_IN_SET_NAMES } from './sign-in.usage.mjs';

/** The sets that are run with tokens of the file. */
const HANDED_OUT = /** @type {const} */ (['plain', 'streams', '2025-11-25', '2026-07-28']);

/** The sets of scenarios that can be run alone. */
export const SET_NAMES = /** @type {const} */ ([...HANDED_OUT, ...SIGN_IN_SET_NAMES]);

export const USAGE = `Usage: npm run conformance -- [--verbose] [--only SET]
  --only SET   run one set: ${SET_NAMES.join(', ')}
  --verbose    show what the suite and the servers print`;

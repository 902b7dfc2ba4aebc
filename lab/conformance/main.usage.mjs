/** What `npm run conformance -- --help` prints. */

/** The sets of scenarios that can be run alone. */
export const SET_NAMES = /** @type {const} */ (['plain', 'streams', '2025-11-25', '2026-07-28']);

export const USAGE = `Usage: npm run conformance -- [--verbose] [--only SET]
  --only SET   run one set: ${SET_NAMES.join(', ')}
  --verbose    show what the suite and the servers print`;

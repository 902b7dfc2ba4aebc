/** A jest test sequencer that runs the test files in the order of the command line, and remembers nothing for the next run. */

/** What `--testSequencer` names. */
export default class InGivenOrder {
  /**
   * The order of the arguments.
   *
   * @template {{ path: string }} Test
   * @param {readonly Test[]} tests
   */
  sort(tests) {
    return tests.toSorted((one, other) => placeOf(one) - placeOf(other));
  }

  /** Would note how long each took. */
  cacheResults() {}
}

/**
 * Where a test file stands on the command line.
 *
 * @param {{ path: string }} test
 */
function placeOf(test) {
  return process.argv.findIndex((name) => test.path.endsWith(`/${name}`));
}

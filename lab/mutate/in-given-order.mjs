/** A jest test sequencer that runs the test files in the order of the command line. */

/** The class that `--testSequencer` names. */
export default class InGivenOrder {
  /**
   * Sorts the test files in the order of the arguments.
   *
   * @template {{ path: string }} Test
   * @param {readonly Test[]} tests
   */
  sort(tests) {
    return tests.toSorted((one, other) => placeOf(one) - placeOf(other));
  }

  /** Does nothing; jest's own sequencer keeps the durations here. */
  cacheResults() {}
}

/**
 * The index of a test file on the command line.
 *
 * @param {{ path: string }} test
 */
function placeOf(test) {
  return process.argv.findIndex((name) => test.path.endsWith(`/${name}`));
}

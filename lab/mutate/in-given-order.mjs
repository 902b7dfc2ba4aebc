/** A jest test sequencer that runs the test files in the order of the command line. */
import sequencer from '@jest/test-sequencer';

/** The class itself: the types describe the CommonJS form of the package, where it is one level down. */
const Sequencer = /** @type {typeof sequencer.default} */ (/** @type {unknown} */ (sequencer));

/** What `--testSequencer` names. */
export default class InGivenOrder extends Sequencer {
  /**
   * The order of the arguments.
   *
   * @override
   * @param {Parameters<sequencer.default['sort']>[0]} tests
   */
  sort(tests) {
    /** @param {{ path: string }} test */
    const placeOf = (test) => process.argv.findIndex((name) => test.path.endsWith(`/${name}`));
    return tests.toSorted((one, other) => placeOf(one) - placeOf(other));
  }
}

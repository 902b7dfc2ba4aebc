/** Names the tests that were skipped or did less than in CI, and sends `npm test` the counts of each kind and the files with a failure. */

import path from 'node:path';
import { describeReduced } from './reduced.mjs';

/** @typedef {{ counts: Record<string, number>, failedFiles: string[] }} Report The report to `npm test`. */

/** A reporter that jest's configuration names besides jest's own. */
export default class SkippedReporter {
  /** @param {{ testNamePattern?: string }} settings jest's own */
  constructor({ testNamePattern = '' }) {
    // With a choice of tests by name (`-t`), the skipped ones need not be named.
    this.isChoice = testNamePattern !== '';
  }

  /**
   * Called by jest when every test has ended.
   *
   * @param {unknown} _contexts
   * @param {import('@jest/reporters').AggregatedResult} results
   */
  onRunComplete(_contexts, results) {
    const files = results.testResults.map(({ testFilePath }) => path.relative(process.cwd(), testFilePath));
    const lines = [...skippedIn(results, process.cwd()), ...describeReduced(files)];
    for (const line of this.isChoice ? [] : lines) process.stderr.write(`${line}\n`);
    /** @type {Report} */
    const report = {
      counts: {
        failed: results.numFailedTests,
        skipped: results.numPendingTests,
        passed: results.numPassedTests,
        total: results.numTotalTests,
      },
      // Files that could not be loaded are among them.
      failedFiles: results.testResults
        .filter(({ numFailingTests, testExecError }) => numFailingTests > 0 || testExecError)
        .map(({ testFilePath }) => path.relative(process.cwd(), testFilePath)),
    };
    process.send?.(report);
  }
}

/**
 * Lines about the files with skipped tests: how many are skipped and, when others have run, which.
 *
 * @param {Pick<import('@jest/reporters').AggregatedResult, 'testResults'>} results
 * @param {string} root
 */
function skippedIn({ testResults }, root) {
  return testResults.flatMap(({ testFilePath, testResults: tests }) => {
    const skipped = tests.filter(({ status }) => status === 'pending');
    if (skipped.length === 0) return [];
    const names =
      skipped.length === tests.length ? 'all' : skipped.map(({ fullName }) => `"${fullName}"`).join(', ');
    return [
      `Skipped ${skipped.length} of ${tests.length} tests in ${path.relative(root, testFilePath)}: ${names}`,
    ];
  });
}

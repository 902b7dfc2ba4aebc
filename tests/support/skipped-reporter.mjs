/** Says by name which tests were skipped and which do less than in CI, and tells `npm test` how many there were of each kind, and where one failed. */

import path from 'node:path';
import { describeReduced } from './reduced.mjs';

/** @typedef {{ counts: Record<string, number>, failedFiles: string[] }} Report What `npm test` is told. */

/** What jest's configuration names as a reporter, besides its own. */
export default class SkippedReporter {
  /** @param {{ testNamePattern?: string }} settings jest's own */
  constructor({ testNamePattern = '' }) {
    // Who chooses tests by name (`-t`) knows that the others are skipped.
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
      // With those that could not be loaded.
      failedFiles: results.testResults
        .filter(({ numFailingTests, testExecError }) => numFailingTests > 0 || testExecError)
        .map(({ testFilePath }) => path.relative(process.cwd(), testFilePath)),
    };
    process.send?.(report);
  }
}

/**
 * The files with skipped tests, each with how many and, when it runs others, which.
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

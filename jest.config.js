/**
 * How jest runs the tests: TypeScript as native ES modules, types left to `npm run lint`. Every suite loads the server anew, which leaves
 * much to be collected: the script `jest` in package.json has workers collect it in larger portions and without threads, of which each core has
 * enough to do. That takes a sixth off the processor time of suites that test in their process.
 */

import { availableParallelism } from 'node:os';

/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/tests/**/*.test.ts', '<rootDir>/examples/*/tests/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': ['ts-jest', { useESM: true, diagnostics: false }] },
  setupFiles: ['<rootDir>/tests/support/errors-of-node.ts'],
  testSequencer: '<rootDir>/tests/support/changed-first.mjs',
  reporters: ['default', '<rootDir>/tests/support/skipped-reporter.mjs'],
  // Compiled copies and fixtures are no part of the module map.
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.dev/', '<rootDir>/results/'],
  testTimeout: 20_000,
  // A worker whose last handle is closed still has a heap of several suites to take down, which takes a busy machine longer than jest's half a
  // second; one that waits for something is told of all the same.
  workerGracefulExitTimeout: 10_000,
  // Many tests start programs of their own: a worker for every other core, and no fewer than three, since some wait.
  maxWorkers: Math.max(3, Math.floor(availableParallelism() / 2)),
};

/** The tests that do less when there is no time for all, as there is in CI: how much they do, and the lines that say so at the end of a run. */

/** @typedef {{ file: string, of: string, less: number, all: number }} Amount How much of something a file's tests do. */

const AMOUNTS = Object.freeze({
  brokenDeployments: {
    file: 'tests/scripts/smoke-broken.test.ts',
    of: 'broken deployments that the smoke test is tried on',
    less: 5,
    all: 53,
  },
  comparedTalks: {
    file: 'tests/mcp/fast-lane.test.ts',
    of: 'random talks that are compared',
    less: 3,
    all: 60,
  },
  isolatedUsers: {
    file: 'tests/http/transports/isolation.test.ts',
    of: 'users with equal request ids at once',
    less: 60,
    all: 200,
  },
  fuzzedSeeds: {
    file: 'tests/lab/fuzz.test.ts',
    of: 'cases that are sent twice',
    less: 12,
    all: 30,
  },
  tokenCommands: {
    file: 'tests/scripts/token-commands.test.ts',
    of: 'random sequences of token commands',
    less: 15,
    all: 40,
  },
});

/** Whether there is time for all of it. */
export const hasTime = (process.env['CI'] ?? '') !== '';

/**
 * How much of something this run does.
 *
 * @param {keyof typeof AMOUNTS} name
 */
export function amountOf(name) {
  return hasTime ? AMOUNTS[name].all : AMOUNTS[name].less;
}

/**
 * One line for each of these test files that does less than in CI; none when everything is done.
 *
 * @param {readonly string[]} files by their paths in the checkout
 */
export function describeReduced(files) {
  const ran = new Set(files);
  return Object.values(AMOUNTS)
    .filter(({ file }) => !hasTime && ran.has(file))
    .map(({ file, of, less, all }) => `Less than with CI=true in ${file}: ${less} instead of ${all} ${of}`);
}

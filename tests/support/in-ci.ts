/** Tests that run only in CI, where there is time: further examples of what other tests prove once. A run names at its end what it skipped. */
import { describe, test } from '@jest/globals';
import { hasTime } from './reduced.mjs';

/** A test that runs with CI=true, and is skipped otherwise. */
export const testInCi = hasTime ? test : test.skip;

/** Describes with `declare` what runs only in CI as a whole: what drives a browser, several processes or clients of others at length. */
export function leftToCi(declare: typeof describe.skip): typeof describe.skip {
  return hasTime ? declare : describe.skip;
}

/** Declares a test for each row, like jest's `test.each`: the first row always runs, the others only with CI=true. */
export function testEach<Row>([first, ...others]: readonly Row[]) {
  return (name: string, run: (...row: RowArguments<Row>) => Promise<void>, timeoutMs?: number): void => {
    for (const [declare, rows] of [
      [test, [first]],
      [testInCi, others],
    ] as const)
      if (rows.length > 0) declare.each(rows)(name, run as never, timeoutMs);
  };
}

/** The arguments that jest makes of a row: the columns of a list, or the row itself. */
type RowArguments<Row> = Row extends readonly unknown[] ? [...Row] : [Row];

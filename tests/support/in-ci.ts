/** Tests for which there is only time in CI: further examples of what other tests prove once. The end of a run names those it skipped. */
import { test } from '@jest/globals';
import { hasTime } from './reduced.mjs';

/** A test that runs with CI=true, and is skipped otherwise. */
export const testInCi = hasTime ? test : test.skip;

/** A test for each row, as jest's `test.each`: the first one always runs, the others with CI=true. */
export function testEach<Row>([first, ...others]: readonly Row[]) {
  return (name: string, run: (...row: RowArguments<Row>) => Promise<void>, timeoutMs?: number): void => {
    for (const [declare, rows] of [
      [test, [first]],
      [testInCi, others],
    ] as const)
      if (rows.length > 0) declare.each(rows)(name, run as never, timeoutMs);
  };
}

/** What jest hands on of a row: the columns of a list, or the row itself. */
type RowArguments<Row> = Row extends readonly unknown[] ? [...Row] : [Row];

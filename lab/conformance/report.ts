/** Prints results for people: one line when a scenario ends, and a table with the verdict at the end. */
import type { ScenarioResult } from './suite.ts';

/** Prints one scenario's line, with the reason below it when it failed. */
export function printResult({
  scenario,
  revision,
  scored,
  passed,
  checks,
  failures,
  warnings,
}: ScenarioResult): void {
  const notes = [
    `${checks} checks`,
    ...(warnings.length > 0 ? [`${warnings.length} warnings`] : []),
    ...(scored ? [] : ['not scored']),
  ];
  const verdict = passed ? 'pass' : scored ? 'FAIL' : 'miss';
  console.log(`  ${verdict}  ${scenario} [${revision}]  (${notes.join(', ')})`);
  if (!scored) return;
  for (const line of failures) console.log(`        ${line}`);
  for (const line of warnings) console.log(`        warning: ${line}`);
}

/** Prints the table and the verdict. Returns whether every scored scenario has passed and nothing else was wrong. */
export function printTable(results: readonly ScenarioResult[], troubles: readonly string[]): boolean {
  const rows = [...new Set(results.map(({ set }) => set))].map((set) => rowOf(set, results));
  console.log(`\n${formatRow(['set', 'scored', 'passed', 'not scored', 'of these passed'])}`);
  for (const row of rows) console.log(formatRow(row));
  for (const trouble of troubles) console.log(`\nFAIL  ${trouble}`);

  const scored = results.filter((result) => result.scored);
  const passed = scored.filter((result) => result.passed).length;
  const failed = scored.length - passed + troubles.length;
  console.log(`\n${passed} passed, ${failed} failed`);
  return failed === 0 && scored.length > 0;
}

/** The counts of one set. */
function rowOf(set: string, all: readonly ScenarioResult[]): string[] {
  const results = all.filter((result) => result.set === set);
  const [scored, others] = [results.filter((one) => one.scored), results.filter((one) => !one.scored)];
  const counts = [scored, scored.filter(isPassed), others, others.filter(isPassed)];
  return [set, ...counts.map((list) => String(list.length))];
}

/** Whether a scenario has passed. */
function isPassed({ passed }: ScenarioResult): boolean {
  return passed;
}

/** Formats a table row, with columns of equal width. */
function formatRow([name = '', ...columns]: readonly string[]): string {
  return `  ${name.padEnd(22)}${columns.map((column) => column.padStart(17)).join('')}`;
}

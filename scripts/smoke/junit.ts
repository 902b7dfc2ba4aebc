/** Writes the result of a run as JUnit XML, which CI systems show. */
import type { Summary } from './report.ts';
import type { StepResult } from './steps.ts';

/** Makes the text of the file. `redact` is applied to everything that it shows. */
export function toJunit({ url, results }: Summary, redact: (text: string) => string): string {
  const count = (wanted: StepResult['status']): number =>
    results.filter(({ status }) => status === wanted).length;
  const totalMs = results.reduce((sum, { durationMs }) => sum + durationMs, 0);
  const facts = { name: `smoke ${url}`, tests: results.length, failures: count('failed'), errors: count('blocked'), skipped: count('skipped'), time: seconds(totalMs) }; // prettier-ignore
  const spell = (values: Readonly<Record<string, string | number>>): string =>
    Object.entries(values).map(([name, value]) => ` ${name}="${escapeXml(redact(String(value)))}"`).join(''); // prettier-ignore
  const cases = results.map(({ id, title, status, durationMs, detail, advice }) => {
    const head = `    <testcase${spell({ classname: `smoke.${id}`, name: title, time: seconds(durationMs) })}`;
    if (status === 'passed') return `${head}/>`;
    const kind = { failed: 'failure', blocked: 'error', skipped: 'skipped' }[status];
    const words = advice === undefined ? '' : escapeXml(redact(advice));
    return `${head}>\n      <${kind}${spell({ message: detail })}>${words}</${kind}>\n    </testcase>`;
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites>',
    `  <testsuite${spell(facts)}>`,
    ...cases,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

/** Formats a duration in seconds, as JUnit has it. */
function seconds(durationMs: number): string {
  return (durationMs / 1000).toFixed(3);
}

/** Escapes text for XML. Control characters, which XML cannot hold, are replaced. */
function escapeXml(text: string): string {
  return text
    .replaceAll(/[^\P{Cc}\t\n\r]|[\uFFFE\uFFFF]/gu, '\uFFFD')
    .replaceAll(/[&<>"'\t\n\r]/g, (character) => `&#${character.codePointAt(0)};`);
}

/** Judges the output of `npm audit --json`: no severe vulnerability, one or more, or a registry that did not answer. */
import { z } from 'zod';

/** The parts of the report that count. */
const REPORT = z.object({
  metadata: z.object({
    vulnerabilities: z.object({
      low: z.number(),
      moderate: z.number(),
      high: z.number(),
      critical: z.number(),
    }),
  }),
  vulnerabilities: z.record(z.string(), z.object({ severity: z.string(), range: z.string() })).default({}),
});

/** The result. */
export interface Verdict {
  readonly passed: boolean;
  readonly words: string;
}

/** Judges the report: a high or critical vulnerability fails. */
export function judgeAudit(output: string): Verdict {
  const report = REPORT.safeParse(parse(output));
  if (!report.success)
    return { passed: true, words: 'NOT CHECKED: the registry cannot be reached, or does not answer audits.' };
  const { low, moderate, high, critical } = report.data.metadata.vulnerabilities;
  const severe = Object.entries(report.data.vulnerabilities)
    .filter(([, { severity }]) => severity === 'high' || severity === 'critical')
    .map(([name, { severity, range }]) => `\n  ${name} ${range}: ${severity}`);
  const counts = `${critical} critical, ${high} high, ${moderate} moderate, ${low} low vulnerabilities of runtime dependencies`;
  return { passed: high + critical === 0, words: `${counts}${severe.join('')}` };
}

/** Parses JSON; undefined when the text is not valid. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

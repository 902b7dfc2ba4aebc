/** Shows a run: as lines, with the running step in motion on a terminal, or as one JSON object. */
import type { Count, Report, StepResult } from './steps.ts';

/** Where a run is shown. */
export interface Output {
  write(text: string): void;
  readonly isTerminal: boolean;
}

/** The end of a run. */
export interface Summary {
  readonly url: string;
  readonly exitCode: number;
  readonly results: readonly StepResult[];
  /** How many checks ran, of how many. */
  readonly checks: Count;
}

/** Shows steps as they run, and the summary. */
export interface SmokeReport extends Report {
  finish(summary: Summary): void;
}

const MARKS = { passed: '✓', failed: '✗', skipped: '–', blocked: '?' } as const;
const COLORS = {
  passed: '\u001B[32m',
  failed: '\u001B[31m',
  skipped: '\u001B[2m',
  blocked: '\u001B[33m',
} as const;
const PLAIN = '\u001B[0m';
const CLEAR_LINE = '\r\u001B[2K';
const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const SPIN_MS = 100;

/** A report as lines. `redact` goes over everything that is shown. */
export function createLineReport(output: Output, redact: (text: string) => string): SmokeReport {
  let timer: NodeJS.Timeout | undefined;
  const write = (text: string): void => output.write(redact(text));
  return {
    begin(title) {
      if (!output.isTerminal) return;
      const startedMs = Date.now();
      timer = setInterval(() => {
        const elapsedMs = Date.now() - startedMs;
        const sign = SPINNER[Math.floor(elapsedMs / SPIN_MS) % SPINNER.length];
        write(`${CLEAR_LINE}${sign} ${title} ${Math.floor(elapsedMs / 1000)} s`);
      }, SPIN_MS);
    },
    end({ title, status, durationMs, detail, advice }) {
      clearInterval(timer);
      const [color, plain, clear] = output.isTerminal ? [COLORS[status], PLAIN, CLEAR_LINE] : ['', '', ''];
      const hasRun = status === 'passed' || status === 'failed';
      const time = hasRun ? ` (${formatDuration(durationMs)})` : '';
      const lines = status === 'failed' ? ['', `    ${detail}`] : [`: ${detail}`];
      if (advice !== undefined) lines.push(`    → ${advice}`);
      write(`${clear}${color}${MARKS[status]}${plain} ${title}${time}${lines.join('\n')}\n`);
    },
    finish({ url, exitCode, results, checks }) {
      const count = (wanted: StepResult['status']): number =>
        results.filter(({ status }) => status === wanted).length;
      const ran = `${checks.ran} of ${checks.expected} checks ran`;
      const skipped = count('skipped');
      const apart = `${skipped} ${skipped === 1 ? 'does' : 'do'} not apply`;
      const counts = `${ran}: ${count('passed')} passed, ${count('failed')} failed; ${apart}`;
      write(`\n${VERDICTS[exitCode] ?? ''}: ${url} – ${counts}\n`);
    },
  };
}

const VERDICTS: Readonly<Record<number, string>> = { 0: 'OK', 1: 'FAILED', 2: 'UNREACHABLE' };

/** A report for machines: nothing until the end. */
export function createJsonReport(output: Output, redact: (text: string) => string): SmokeReport {
  return {
    begin: () => undefined,
    end: () => undefined,
    finish({ url, exitCode, results, checks }) {
      const summary = { url, ok: exitCode === 0, exitCode, checks, steps: results };
      // Each string by itself: in the finished JSON a token may be escaped, and so not be found.
      const text = JSON.stringify(summary, (_key, value) => hideIn(value, redact), 2);
      output.write(`${text}\n`);
    },
  };
}

/** A value as it may be shown. */
function hideIn(value: unknown, redact: (text: string) => string): unknown {
  return typeof value === 'string' ? redact(value) : value;
}

/** A function that hides secrets in a text: whatever a server or a client library echoes is shown without them. */
export function createRedactor(secrets: readonly (string | undefined)[]): (text: string) => string {
  const forms = new Set(secrets.filter((secret) => secret !== undefined).flatMap(formsOf));
  // The longest first: of what begins with another one, the rest would stay.
  const present = [...forms].toSorted((one, other) => other.length - one.length);
  return (text) => present.reduce((rest, secret) => rest.replaceAll(secret, '<token>'), text);
}

/** A secret as it is, as an address has it, and as the name of a host, which is spelled in small letters. */
function formsOf(secret: string): string[] {
  return [secret, new URLSearchParams([['', secret]]).toString().slice(1), secret.toLowerCase()];
}

/** A time for people. */
function formatDuration(durationMs: number): string {
  return durationMs < 1000 ? `${durationMs} ms` : `${(durationMs / 1000).toFixed(1)} s`;
}

/** Shows a run: as lines, with a spinner for the running step on a terminal, or as one JSON object. */
import { escapeUnprintable, printable } from '../../src/printable.ts';
import type { Count, Report, StepResult } from './steps.ts';

/** Where a run is shown. */
export interface Output {
  write(text: string): void;
  readonly isTerminal: boolean;
}

/** The result of a run. */
export interface Summary {
  readonly url: string;
  readonly exitCode: number;
  readonly results: readonly StepResult[];
  /** How many of the expected checks ran. */
  readonly checks: Count;
}

/** Shows the steps as they run, and the summary at the end. */
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

/** Makes a report that writes lines. `redact` is applied to everything that it shows. */
export function createLineReport(output: Output, redact: (text: string) => string): SmokeReport {
  let timer: NodeJS.Timeout | undefined;
  const show = (text: string): string => showOnTerminal(redact(text));
  return {
    begin(title) {
      if (!output.isTerminal) return;
      const startedMs = Date.now();
      timer = setInterval(() => {
        const elapsedMs = Date.now() - startedMs;
        const sign = SPINNER[Math.floor(elapsedMs / SPIN_MS) % SPINNER.length];
        output.write(`${CLEAR_LINE}${sign} ${title} ${Math.floor(elapsedMs / 1000)} s`);
      }, SPIN_MS);
    },
    end({ title, status, durationMs, detail, advice }) {
      clearInterval(timer);
      const [color, plain, clear] = output.isTerminal ? [COLORS[status], PLAIN, CLEAR_LINE] : ['', '', ''];
      const hasRun = status === 'passed' || status === 'failed';
      const time = hasRun ? ` (${formatDuration(durationMs)})` : '';
      const lines = status === 'failed' ? ['', `    ${show(detail)}`] : [`: ${show(detail)}`];
      if (advice !== undefined) lines.push(`    → ${show(advice)}`);
      output.write(`${clear}${color}${MARKS[status]}${plain} ${title}${time}${lines.join('\n')}\n`);
    },
    finish({ url, exitCode, results, checks }) {
      const count = (wanted: StepResult['status']): number =>
        results.filter(({ status }) => status === wanted).length;
      const ran = `${checks.ran} of ${checks.expected} checks ran`;
      const skipped = count('skipped');
      const apart = `${skipped} ${skipped === 1 ? 'does' : 'do'} not apply`;
      const counts = `${ran}: ${count('passed')} passed, ${count('failed')} failed; ${apart}`;
      output.write(`\n${VERDICTS[exitCode] ?? ''}: ${show(url)} – ${counts}\n`);
    },
  };
}

/** Text that a server or a program may have written, without what could act on the terminal. Its further lines are indented: none looks like one of ours. */
function showOnTerminal(text: string): string {
  const lines = text.split('\n').map((line) => printable(line.trim()));
  return lines.join('\n    ');
}

const VERDICTS: Readonly<Record<number, string>> = { 0: 'OK', 1: 'FAILED', 2: 'UNREACHABLE' };

/** Makes a report for programs: it writes one JSON object at the end. */
export function createJsonReport(output: Output, redact: (text: string) => string): SmokeReport {
  return {
    begin: () => undefined,
    end: () => undefined,
    finish({ url, exitCode, results, checks }) {
      const summary = { url, ok: exitCode === 0, exitCode, checks, steps: results };
      // Redacts each string by itself: in the finished JSON a token may be escaped, and would not be found.
      const text = JSON.stringify(summary, (_key, value) => hideIn(value, redact), 2);
      output.write(`${escapeUnprintable(text)}\n`);
    },
  };
}

/** Redacts a value of the JSON, if it is a string. */
function hideIn(value: unknown, redact: (text: string) => string): unknown {
  return typeof value === 'string' ? redact(value) : value;
}

/** Makes a function that hides secrets in a text, for whatever a server or a client library echoes. */
export function createRedactor(secrets: readonly (string | undefined)[]): (text: string) => string {
  const forms = new Set(secrets.filter((secret) => secret !== undefined).flatMap(formsOf));
  // The longest first: if a shorter secret that it begins with were replaced first, its rest would stay.
  const present = [...forms].toSorted((one, other) => other.length - one.length);
  return (text) => present.reduce((rest, secret) => rest.replaceAll(secret, '<token>'), text);
}

/** The forms of a secret: as it is, URL-encoded, and in lower case, as in a host name. */
function formsOf(secret: string): string[] {
  return [secret, new URLSearchParams([['', secret]]).toString().slice(1), secret.toLowerCase()];
}

/** Formats a duration for people. */
function formatDuration(durationMs: number): string {
  return durationMs < 1000 ? `${durationMs} ms` : `${(durationMs / 1000).toFixed(1)} s`;
}

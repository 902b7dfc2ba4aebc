/** A log in memory, for tests that look at what is logged. */
import { type Logger, pino } from 'pino';

/** One line of the log. */
export type LogLine = Readonly<Record<string, unknown>>;

/** The log, and its lines so far. */
export interface MemoryLog {
  readonly log: Logger;
  readonly lines: readonly LogLine[];
}

/** Makes an empty log of every level. */
export function createMemoryLog(): MemoryLog {
  const lines: LogLine[] = [];
  const stream = { write: (line: string) => lines.push(JSON.parse(line) as LogLine) };
  const formatters = { level: (label: string) => ({ level: label }) };
  return { log: pino({ level: 'debug', base: null, formatters }, stream), lines };
}

/** A whole run, in the form that `--json` writes and `--figures` reads; the figures of docs/PERFORMANCE.md are kept in it, too. */
import { z } from 'zod';
import type { Machine } from '../machine.ts';
import { METRICS, type MetricName, type RowHead, type RowResult } from '../metrics.ts';
import type { Settings } from '../settings.ts';

/** A row, and when it was measured. */
export interface MeasuredRow extends RowResult {
  /** The day, such as 2027-06-30. */
  readonly date: string;
  /** The load average of the minute before its run. */
  readonly loadBefore: number;
}

/** The figures, and the circumstances of their measurement. With rows of several runs, the day and the load are those of the last run. */
export interface Run {
  readonly date: string;
  readonly machine: Machine;
  /** Absent when rows of several runs are kept: each row has its own number of rounds. */
  readonly settings?: Settings;
  readonly rows: readonly MeasuredRow[];
}

/** How often a row was measured. */
export function roundsOf({ series }: RowResult): number {
  return Math.max(0, ...series.map(({ rounds }) => rounds.length));
}

// oxlint-disable-next-line no-unsafe-type-assertion -- Object.keys is typed wider than the object
const METRIC_NAMES = Object.keys(METRICS) as [MetricName, ...MetricName[]];

const SERIES = z.object({
  server: z.string(),
  kind: z.enum(['ours', 'floor', 'peer', 'variant']),
  rounds: z.array(z.partialRecord(z.enum(METRIC_NAMES), z.number())),
});

const RUN = z.object({
  date: z.iso.date(),
  machine: z.object({
    cpu: z.string(),
    cores: z.number(),
    node: z.string(),
    system: z.string(),
    pinned: z.boolean(),
    loadBefore: z.number(),
  }),
  rows: z.array(
    z.object({
      name: z.string(),
      // When these are missing, all rows are of one run.
      date: z.iso.date().optional(),
      loadBefore: z.number().optional(),
      series: z.array(SERIES),
    }),
  ),
});

/**
 * Parses a run. Rows come in the order of `heads` and with the titles and goals given there; others are left out.
 * @throws {Error} when the text is no run
 */
export function parseRun(json: string, heads: readonly RowHead[]): Run {
  const { date, machine, rows } = RUN.parse(JSON.parse(json));
  const found = new Map(rows.map((row) => [row.name, row]));
  return {
    date,
    machine,
    rows: heads.flatMap((head) => {
      const row = found.get(head.name);
      if (row === undefined) return [];
      const { series, date: day = date, loadBefore = machine.loadBefore } = row;
      return [{ ...headOf(head), date: day, loadBefore, series }];
    }),
  };
}

/** The facts about a row that are kept beside its figures. */
export function headOf({ name, title, metric, goals }: RowHead): RowHead {
  return { name, title, metric, ...(goals && { goals }) };
}

/** Writes a run as JSON, with a line for each server of a row, so that a changed row changes only its own lines. */
export function spellRun({ rows, ...run }: Run): string {
  const spelled = rows.map(({ series, ...row }) => {
    const lines = series.map((one) => `    ${spell(one)}`).join(',\n');
    return `  ${spell(row).slice(0, -1)},"series":[\n${lines}\n  ]}`;
  });
  return `${spell(run).slice(0, -1)},"rows":[\n${spelled.join(',\n')}\n]}\n`;
}

/** Writes a value in one line, with numbers rounded to thousandths. */
function spell(value: object): string {
  return JSON.stringify(value, (_name, part: unknown) =>
    typeof part === 'number' ? Math.round(part * 1000) / 1000 : part,
  );
}

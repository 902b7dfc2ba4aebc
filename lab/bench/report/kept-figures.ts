/** The figures that docs/PERFORMANCE.md shows, kept row by row: a run of some rows leaves the others unchanged. */
import { readFile } from 'node:fs/promises';
import { type Machine, placeLine } from '../machine.ts';
import type { RowHead } from '../metrics.ts';
import { parseRun, type Run } from './run.ts';

/** What a run will bring; this is known before it is made. */
export interface Coming {
  readonly machine: Machine;
  readonly rows: readonly { readonly name: string; readonly hasPeers: boolean }[];
}

/** A row, and what is missing to measure it here. */
type Measurable = RowHead & { readonly missing?: () => string | undefined };

/** Reads a file of figures; undefined when there is none. */
export async function readRun(file: string, heads: readonly RowHead[]): Promise<Run | undefined> {
  const json = await readFile(file, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  try {
    return json === undefined ? undefined : parseRun(json, heads);
  } catch (cause) {
    throw new Error(`${file} is no run of the benchmark, as --json writes it.`, { cause });
  }
}

/** What an existing run brings. */
export function comingOf({ machine, rows }: Run): Coming {
  return {
    machine,
    rows: rows.map(({ name, series }) => ({ name, hasPeers: series.some(({ kind }) => kind === 'peer') })),
  };
}

/** Why the rows of a run cannot be kept beside the others; undefined when they can, or when they replace all. */
export function whyNotBeside(
  kept: Run | undefined,
  { machine, rows }: Coming,
  all: readonly Measurable[],
): string | undefined {
  if (kept === undefined) return undefined;
  const coming = new Map(rows.map((row) => [row.name, row]));
  const isWhole = all.every(({ name, missing }) => coming.has(name) || missing?.() !== undefined);
  if (!isWhole && !isSamePlace(kept.machine, machine))
    return `The figures that are kept are of another machine or Node (${placeLine(kept.machine)}), and are not mixed with those of this one. Measure every row: npm run bench -- --peers --update-docs`;
  const poorer = comingOf(kept).rows.filter(
    ({ name, hasPeers }) => hasPeers && coming.get(name)?.hasPeers === false,
  );
  if (poorer.length === 0) return undefined;
  return `Without --peers these rows would lose their peers: ${poorer.map(({ name }) => name).join(', ')}`;
}

/** Puts the rows of a run among the kept ones, in the order of all rows. Drops kept rows of another machine, and rows that exist no more. */
export function putInto(kept: Run | undefined, run: Run, all: readonly RowHead[]): Run {
  const { date, machine, rows } = run;
  const staying = kept !== undefined && isSamePlace(kept.machine, machine) ? kept.rows : [];
  const found = new Map([...staying, ...rows].map((row) => [row.name, row]));
  return { date, machine, rows: all.flatMap(({ name }) => found.get(name) ?? []) };
}

/** Whether figures of two machines may be compared. */
function isSamePlace(one: Machine, other: Machine): boolean {
  return placeLine(one) === placeLine(other);
}

/** Tables of values separated by tabs, commas or semicolons, as spreadsheets write and copy them (RFC 4180). */

/** What cannot be seen: byte order marks, spaces without width, and marks of the direction of writing, which would make two users of one. */
const UNSEEN = /[\u200B\u200E\u200F\u202A-\u202E\u2060\u2066-\u2069\uFEFF]/g;

/** One row. */
export interface CsvRow {
  readonly cells: readonly string[];
  /** Its number for whoever sees the table in a spreadsheet: empty rows count. */
  readonly row: number;
  /** The number of the line it begins on, for whoever sees the text. */
  readonly line: number;
}

/**
 * The rows of a text, without the empty ones and without marks that cannot be seen. The separator is the one of the first line that
 * has any; a tab is one beside each of the others. The apostrophe that keeps a value from being a formula is no part of it. Undefined when a quote is not closed.
 */
export function parseCsv(written: string): CsvRow[] | undefined {
  const text = written.replaceAll(/\r\n?/g, '\n').replaceAll(UNSEEN, '');
  const head = text.split('\n').find((one) => /[\t,;]/.test(one)) ?? '';
  const separator = ['\t', ','].find((one) => head.includes(one)) ?? ';';
  const rows: CsvRow[] = [];
  let cells: string[] = [];
  let row = 1;
  let line = 1;
  let nextLine = 1;
  let cell = '';
  let isQuoted = false;
  for (let index = 0; index <= text.length; index += 1) {
    const character = text[index];
    if (character === '\n') nextLine += 1;
    if (isQuoted) {
      if (character === undefined) return undefined;
      if (character !== '"') cell += character;
      else if (text[index + 1] === '"') cell += text[(index += 1)];
      else isQuoted = false;
    } else if (character === '"' && cell.trim() === '') {
      cell = '';
      isQuoted = true;
    } else if (character === separator || character === '\t') {
      cells.push(plainOf(cell));
      cell = '';
    } else if (character === '\n' || character === undefined) {
      cells.push(plainOf(cell));
      if (cells.some((value) => value !== '')) rows.push({ cells, row, line });
      cells = [];
      cell = '';
      row += 1;
      line = nextLine;
    } else {
      cell += character;
    }
  }
  return rows;
}

/** One line of a table. What a spreadsheet would take for a formula has an apostrophe before it, which {@link parseCsv} takes away. */
export function formatCsvLine(cells: readonly string[]): string {
  return cells
    .map((cell) => (FORMULA.test(cell) ? `'${cell}` : cell))
    .map((cell) => (/[",;\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell))
    .join(',');
}

/** What a spreadsheet would run, and what stands for it in a table: with one apostrophe more each can be told from the others. */
const FORMULA = /^'*[=+@-]/;

/** The value of a cell. */
function plainOf(cell: string): string {
  const value = cell.trim();
  return value.startsWith("'") && FORMULA.test(value) ? value.slice(1) : value;
}

/** Tables of values separated by tabs, commas or semicolons, as spreadsheets write and copy them (RFC 4180). */

/** Invisible characters: byte order marks, zero-width spaces and directional marks, which would make two users of one. */
const UNSEEN = /[\u200B\u200E\u200F\u202A-\u202E\u2060\u2066-\u2069\uFEFF]/g;

/** One row. */
export interface CsvRow {
  readonly cells: readonly string[];
  /** The number of the row as a spreadsheet shows it: empty rows count. */
  readonly row: number;
  /** The number of the line of the text on which the row begins. */
  readonly line: number;
}

/**
 * Reads the rows of a text, without empty ones and without invisible characters. The separator is the one of the first line that has any; a tab
 * separates beside each of the others. The apostrophe that keeps a value from being a formula is removed. Undefined when a quote is not closed.
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

/** One line of a table. A value that a spreadsheet would take for a formula gets an apostrophe in front, which {@link parseCsv} removes. */
export function formatCsvLine(cells: readonly string[]): string {
  return cells
    .map((cell) => (FORMULA.test(cell) ? `'${cell}` : cell))
    .map((cell) => (/[",;\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell))
    .join(',');
}

/** What a spreadsheet would run, with any number of apostrophes in front: each gets one more when written, so that reading restores all of them. */
const FORMULA = /^'*[=+@-]/;

/** The value of a cell, without white space around it and without the apostrophe of a formula. */
function plainOf(cell: string): string {
  const value = cell.trim();
  return value.startsWith("'") && FORMULA.test(value) ? value.slice(1) : value;
}

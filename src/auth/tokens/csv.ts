/** Tables of values separated by tabs, commas or semicolons, as spreadsheets write and copy them (RFC 4180). */

/** What cannot be seen: byte order marks, spaces without width, and marks of the direction of writing, which would make two users of one. */
const UNSEEN = /[\u200B\u200E\u200F\u202A-\u202E\u2060\u2066-\u2069\uFEFF]/g;

/**
 * The rows of a text, without the empty ones and without marks that cannot be seen. The separator is the one of the first line that
 * has any; a tab is one beside each of the others. Undefined when a quote is not closed.
 */
export function parseCsv(written: string): string[][] | undefined {
  const text = written.replaceAll(/\r\n?/g, '\n').replaceAll(UNSEEN, '');
  const head = text.split('\n').find((line) => /[\t,;]/.test(line)) ?? '';
  const separator = ['\t', ','].find((one) => head.includes(one)) ?? ';';
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let isQuoted = false;
  for (let index = 0; index <= text.length; index += 1) {
    const character = text[index];
    if (isQuoted) {
      if (character === undefined) return undefined;
      if (character !== '"') cell += character;
      else if (text[index + 1] === '"') cell += text[(index += 1)];
      else isQuoted = false;
    } else if (character === '"' && cell.trim() === '') {
      cell = '';
      isQuoted = true;
    } else if (character === separator || character === '\t') {
      row.push(cell.trim());
      cell = '';
    } else if (character === '\n' || character === undefined) {
      row.push(cell.trim());
      if (row.some((value) => value !== '')) rows.push(row);
      row = [];
      cell = '';
    } else {
      cell += character;
    }
  }
  return rows;
}

/** One line of a table. */
export function formatCsvLine(cells: readonly string[]): string {
  return cells
    .map((cell) => (/[",;\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell))
    .join(',');
}

/** Tables of values separated by commas or semicolons, as spreadsheets write them (RFC 4180). */

/** The rows of a text, without the empty ones; the separator is the one of its first line. Undefined when a quote is not closed. */
export function parseCsv(text: string): string[][] | undefined {
  const [head = ''] = text.split(/\r?\n/, 1);
  const separator = head.includes(';') && !head.includes(',') ? ';' : ',';
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
    } else if (character === separator) {
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

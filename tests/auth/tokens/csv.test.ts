/** Tables as spreadsheets of several systems write and copy them. */
import { expect, test } from '@jest/globals';
import { formatCsvLine, parseCsv } from '../../../src/auth/tokens/csv.ts';

const CLASS = [
  ['user', 'name', 'scopes'],
  ['ada', 'Lovelace, Ada', 'greet echo'],
  ['bob', 'Bob "the" Builder', ''],
];

/** The cells of a table. */
function cellsOf(text: string): (readonly string[])[] | undefined {
  return parseCsv(text)?.map(({ cells }) => cells);
}

test.each([
  ['with commas', 'user,name,scopes\nada,"Lovelace, Ada",greet echo\nbob,"Bob ""the"" Builder",'],
  [
    'copied from a spreadsheet',
    'user\tname\tscopes\nada\tLovelace, Ada\tgreet echo\nbob\tBob "the" Builder\t\n',
  ],
  ['with semicolons', 'user;name;scopes\r\nada;Lovelace, Ada;greet echo\r\nbob;"Bob ""the"" Builder";\r\n'],
  [
    'with the line ends of an old Mac',
    'user;name;scopes\rada;Lovelace, Ada;greet echo\rbob;Bob "the" Builder;\r',
  ],
  [
    'with a byte order mark and marks of direction',
    '\uFEFFuser,name,scopes\n\u200Eada\u200F,"Lovelace, Ada",greet echo\n\u2067bob\u2069,Bob "the" Builder,',
  ],
])('a table %s is read', (_how, text) => {
  expect(cellsOf(text)).toEqual(CLASS);
});

test('the separator is that of the first line with any, and a tab always is one', () => {
  expect(cellsOf('ada\nbob;Bob')).toEqual([['ada'], ['bob', 'Bob']]);
  expect(cellsOf('ada, Ada\nbob\tBob')).toEqual([
    ['ada', 'Ada'],
    ['bob', 'Bob'],
  ]);
  expect(cellsOf('ada, Ada, greet;echo')).toEqual([['ada', 'Ada', 'greet;echo']]);
});

test('characters that join letters and emoji are kept, and an unclosed quote is an error', () => {
  expect(cellsOf('mi,\u0645\u06CC\u200C\u062E, x')).toEqual([['mi', '\u0645\u06CC\u200C\u062E', 'x']]);
  expect(parseCsv('ada,"Ada')).toBeUndefined();
});

test('no cell is a formula for a spreadsheet, and each is read back unchanged', () => {
  const cells = ['=1+1', '+49 30', '-x', '@ada', "'=1+1", '=HYPERLINK("http://x","y")', "d'or", "'t", 'a=b'];

  const line = formatCsvLine(cells);

  expect(line).toBe(`'=1+1,'+49 30,'-x,'@ada,''=1+1,"'=HYPERLINK(""http://x"",""y"")",d'or,'t,a=b`);
  expect(cellsOf(line)).toEqual([cells]);
});

test('a row has its number in the spreadsheet and its number in the text', () => {
  const rows = parseCsv('\nuser,name\r\n\r\n"ada","Ada\nLovelace"\n , \nbob');

  expect(rows).toEqual([
    { cells: ['user', 'name'], row: 2, line: 2 },
    { cells: ['ada', 'Ada\nLovelace'], row: 4, line: 4 },
    { cells: ['bob'], row: 6, line: 7 },
  ]);
});

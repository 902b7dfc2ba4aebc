/** Tables as spreadsheets of several systems write and copy them. */
import { expect, test } from '@jest/globals';
import { parseCsv } from '../../../src/auth/tokens/csv.ts';

const CLASS = [
  ['user', 'name', 'scopes'],
  ['ada', 'Lovelace, Ada', 'greet echo'],
  ['bob', 'Bob "the" Builder', ''],
];

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
  expect(parseCsv(text)).toEqual(CLASS);
});

test('the separator is that of the first line that has any, and a tab is always one', () => {
  expect(parseCsv('ada\nbob;Bob')).toEqual([['ada'], ['bob', 'Bob']]);
  expect(parseCsv('ada, Ada\nbob\tBob')).toEqual([
    ['ada', 'Ada'],
    ['bob', 'Bob'],
  ]);
  expect(parseCsv('ada, Ada, greet;echo')).toEqual([['ada', 'Ada', 'greet;echo']]);
});

test('what joins letters and emoji stays, and a quote that is not closed is told', () => {
  expect(parseCsv('mi,\u0645\u06CC\u200C\u062E, x')).toEqual([['mi', '\u0645\u06CC\u200C\u062E', 'x']]);
  expect(parseCsv('ada,"Ada')).toBeUndefined();
});

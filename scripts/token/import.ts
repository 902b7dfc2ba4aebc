/** `import`: makes a token for every user of a table who has none. */
import { readFile } from 'node:fs/promises';
import { digestToken } from '../../src/auth/digest.ts';
import { personalLink } from '../../src/connect/target.ts';
import type { EntryFields } from '../../src/auth/tokens/token-edit.ts';
import type { Command } from './command.ts';
import { CommandError, EXIT } from './command-error.ts';
import { mintToken } from '../../src/auth/tokens/new-token.ts';
import { newEntry, requireValid } from './create.ts';
import { type CsvRow, formatCsvLine, parseCsv } from '../../src/auth/tokens/csv.ts';
import { tellOutlook } from './outlook.ts';
import { printable, printableJson } from '../../src/printable.ts';
import { codeOf, describeReadError } from '../../src/auth/tokens/system-error.ts';
import { warnOfUnknownScopes } from './known-scopes.ts';

const COLUMNS = ['user', 'name', 'scopes', 'expires'] as const;

/** Makes the tokens in one edit of the store, and prints each with the link that signs its user in on the page. */
export const importUsers: Command = {
  async run(context) {
    const { line, now, store, address, print, warn } = context;
    if (line.argument === undefined)
      throw new CommandError(EXIT.usage, 'import needs a file to read: a table with the column user.');
    const wanted = readUsers(await readTable(line.argument), now());
    const edited = await store.edit(
      ({ entries }) => {
        const known = new Set(entries.map(({ user }) => user.userId));
        const made = wanted
          .filter(({ userId }) => !known.has(userId))
          .map((fields) => ({ token: mintToken(), fields }));
        const add = made.map(({ token, fields }) => ({ digest: digestToken(token), fields }));
        return { edits: { add }, result: made };
      },
      { create: true },
    );
    const rows = edited.result.map(({ token, fields }) => ({
      user: fields.userId,
      token,
      link: personalLink({ origin: address.origin, token }),
    }));
    if (line.json) print(printableJson(rows));
    else
      print(
        [['user', 'token', 'link'], ...rows.map(({ user, token, link }) => [printable(user), token, link])]
          .map(formatCsvLine)
          .join('\n'),
      );
    const skipped = wanted.length - rows.length;
    warn(
      `${rows.length} tokens made; ${skipped} of ${wanted.length} users had one already. The tokens are shown only this once.`,
    );
    if (!address.isNamed)
      warn(
        'The links lead to this machine. For a server elsewhere, give its address with --url https://my-app.example or PUBLIC_URL.',
      );
    await warnOfUnknownScopes(
      context,
      wanted.flatMap(({ scopes }) => scopes ?? []),
    );
    // Standard output holds the table and nothing else.
    tellOutlook({ ...context, print: warn, line, store, address, isStoreRead: context.isStoreRead }, edited);
  },
};

/** Reads the rows of the file. The decoder drops the byte order mark that spreadsheets write. */
async function readTable(file: string): Promise<CsvRow[]> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (error) {
    const problem =
      codeOf(error) === 'ERR_ENCODING_INVALID_ENCODED_DATA'
        ? 'it is not UTF-8 text'
        : describeReadError(error, file);
    throw new CommandError(EXIT.failed, `The table cannot be read: ${problem ?? 'unknown error'}.`, {
      cause: error,
    });
  }
  const rows = parseCsv(text);
  if (rows === undefined) throw new CommandError(EXIT.failed, 'The table has a quote that is not closed.');
  return rows;
}

/** The entries that a table asks for, one for each row. */
function readUsers([head, ...rows]: readonly CsvRow[], nowMs: number): EntryFields[] {
  const columns = (head?.cells ?? []).map((cell) => COLUMNS.find((name) => name === cell.toLowerCase()));
  const strange = columns.indexOf(undefined);
  if (strange !== -1 || !columns.includes('user') || new Set(columns).size < columns.length)
    throw new CommandError(
      EXIT.failed,
      `The first line of the table must name its columns, each once: user, and any of name, scopes, expires.${
        strange === -1 ? '' : ` Column ${strange + 1} is not one of these.`
      }`,
    );
  const seen = new Map<string, number>();
  return rows.map(({ cells, row }) => {
    try {
      return readUser({ cells, columns, nowMs, row, seen });
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      throw new CommandError(EXIT.failed, `Row ${row} of the table: ${error.message}`, { cause: error });
    }
  });
}

/** Reads one row as an entry. */
function readUser({
  cells,
  columns,
  nowMs,
  row,
  seen,
}: {
  readonly cells: readonly string[];
  readonly columns: readonly ((typeof COLUMNS)[number] | undefined)[];
  readonly nowMs: number;
  readonly row: number;
  readonly seen: Map<string, number>;
}): EntryFields {
  if (cells.length > columns.length)
    throw new CommandError(EXIT.failed, 'it has more cells than the table has columns.');
  const valueOf = (name: (typeof COLUMNS)[number]): string | undefined => {
    const cell = cells[columns.indexOf(name)];
    return cell === '' ? undefined : cell;
  };
  const fields = newEntry(
    {
      user: valueOf('user') ?? '',
      name: valueOf('name'),
      scopes: valueOf('scopes'),
      expires: valueOf('expires'),
    },
    nowMs,
  );
  requireValid(fields, '');
  const twin = seen.get(fields.userId);
  if (twin !== undefined) throw new CommandError(EXIT.failed, `it names the same user as row ${twin}.`);
  seen.set(fields.userId, row);
  return fields;
}

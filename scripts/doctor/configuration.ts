/** Reads and parses the configuration file of any client, and finds its entries. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type ParseError, parse as parseJsonc, printParseErrorCode } from 'jsonc-parser';
import { codeOf } from '../../src/auth/tokens/system-error.ts';
import { CheckFailure } from '../smoke/outcome.ts';

/** The entries of a file. */
export interface Configuration {
  /** The key in the file under which the entries stand. */
  readonly place: string;
  readonly entries: ReadonlyMap<string, Fields>;
}

/** An object in a file. */
export type Fields = Readonly<Record<string, unknown>>;

/** The keys under which clients keep their entries, the usual ones first. */
const PLACES = [
  'mcpServers',
  'servers',
  'mcp_servers',
  'context_servers',
  'extensions',
  'mcp.servers',
  'mcp',
] as const;

/** The key that the client of a file reads, by the file's name. */
const READ_BY: readonly (readonly [file: RegExp, client: string, place: string])[] = [
  [/claude_desktop_config\.json$/, 'Claude Desktop', 'mcpServers'],
  [/\.cursor\/mcp\.json$/, 'Cursor', 'mcpServers'],
  [/\.vscode\/mcp\.json$/, 'VS Code', 'servers'],
  [/\.claude\.json$/, 'Claude Code', 'mcpServers'],
  [/\.codex\/config\.toml$/, 'Codex', 'mcp_servers'],
  [/mcp_config\.json$/, 'Windsurf', 'mcpServers'],
  [/goose\/config\.yaml$/, 'goose', 'extensions'],
];

/** The largest file that is read as a configuration. */
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Reads a file and finds its entries.
 * @throws {CheckFailure} saying what is wrong with the file
 */
export async function readConfiguration(file: string): Promise<Configuration> {
  const text = await readText(file);
  const whole = await readerOf(file)(text);
  const places = PLACES.filter((place) => entriesIn(whole, place).size > 0);
  const reader = READ_BY.find(([pattern]) => pattern.test(file.replaceAll(path.sep, '/')));
  const [found] = places;
  if (found === undefined)
    throw new CheckFailure(
      'The file names no MCP server.',
      `Servers must be under ${reader?.[2] ?? `one of ${PLACES.join(', ')}`}. "npm run connect" prints an entry for each client.`,
    );
  if (reader !== undefined && !places.some((place) => place === reader[2]))
    throw new CheckFailure(
      `The servers are under ${found}, where ${reader[1]} does not look.`,
      `Put them under ${reader[2]}.`,
    );
  const place = reader?.[2] ?? found;
  return { place, entries: entriesIn(whole, place) };
}

/** Why a file cannot be read, for codes that can be explained. */
const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'There is no such file.',
  EISDIR: 'It is a folder, not a file.',
  EACCES: 'The file cannot be read: permission denied.',
};

/** Reads the text of a file. */
async function readText(file: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    const problem = PROBLEMS[codeOf(error) ?? ''] ?? `The file cannot be read (${codeOf(error)}).`;
    throw new CheckFailure(
      problem,
      'Check its path. "npm run connect" says for each client where its file is.',
      { cause: error },
    );
  }
  if (bytes.length > MAX_BYTES)
    throw new CheckFailure('The file is too large to be a configuration.', 'Check its path.');
  if (bytes[0] === 0xff || bytes[0] === 0xfe)
    throw new CheckFailure(
      'The file is in UTF-16, as PowerShell writes it.',
      'Save it as UTF-8: clients read nothing else.',
    );
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
  if (text.trim() === '')
    throw new CheckFailure(
      'The file is empty.',
      '"npm run connect" prints what to put there for each client.',
    );
  return text;
}

/** The parser for a file of this name. */
function readerOf(file: string): (text: string) => unknown {
  if (file.endsWith('.toml')) return readToml;
  return /\.ya?ml$/.test(file) ? readYaml : readJson;
}

/** Parses JSON with comments and trailing commas, which the files of most editors may have. */
function readJson(text: string): unknown {
  const errors: ParseError[] = [];
  const whole: unknown = parseJsonc(text, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error === undefined) return whole;
  const before = text.slice(0, error.offset).split('\n');
  const where = `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
  const quotes = /[\u201C\u201D\u2018\u2019]/.test(text)
    ? ' It has typographic quotes: replace them with ".'
    : '';
  throw new CheckFailure(
    `The file is not valid JSON: ${printParseErrorCode(error.error)} at ${where}.`,
    `Clients ignore the whole file. Look for a missing comma or bracket there.${quotes}`,
  );
}

/** Parses TOML. */
async function readToml(text: string): Promise<unknown> {
  const { parse } = await import('smol-toml').catch(withoutPackage('smol-toml'));
  try {
    return parse(text);
  } catch (error) {
    const { line, column } = isFields(error) ? error : {};
    throw broken('TOML', { line, column }, error);
  }
}

/** Parses YAML. */
async function readYaml(text: string): Promise<unknown> {
  const { parse, YAMLParseError } = await import('yaml').catch(withoutPackage('yaml'));
  try {
    return parse(text);
  } catch (error) {
    const at = error instanceof YAMLParseError ? error.linePos?.[0] : undefined;
    throw broken('YAML', { line: at?.line, column: at?.col }, error);
  }
}

/** Fails because a parser is not installed: these packages are optional, and the image does not have them. */
function withoutPackage(name: string): () => never {
  return () => {
    throw new CheckFailure(
      `Reading such a file needs the package ${name}, which is not installed here.`,
      `Run "npm install ${name}", or run the doctor in a checkout.`,
    );
  };
}

/** The failure of a file with a syntax error, and where that is. */
function broken(
  format: string,
  { line, column }: { readonly line: unknown; readonly column: unknown },
  cause: unknown,
): CheckFailure {
  const at = typeof line === 'number' ? ` at line ${line}, column ${String(column)}` : '';
  return new CheckFailure(
    `The file is not valid ${format}: there is an error${at}.`,
    'Clients ignore the whole file.',
    { cause },
  );
}

/** The entries under a key, which may be a path, and those that Claude Code keeps for single projects. */
function entriesIn(whole: unknown, place: string): ReadonlyMap<string, Fields> {
  let found: unknown = whole;
  for (const name of place.split('.')) found = isFields(found) ? found[name] : undefined;
  const own = isFields(found) ? Object.entries(found) : [];
  const ofProjects =
    place === 'mcpServers' && isFields(whole) && isFields(whole['projects'])
      ? Object.entries(whole['projects']).flatMap(([folder, project]) =>
          [...entriesIn(project, place)].map(([name, fields]) => [`${name} of ${folder}`, fields] as const),
        )
      : [];
  return new Map(
    [...own, ...ofProjects].filter(
      (entry): entry is [string, Fields] => isFields(entry[1]) && isEntry(entry[1]),
    ),
  );
}

/** Whether an object says how to reach a server. */
function isEntry(fields: Fields): boolean {
  return ['url', 'httpUrl', 'serverUrl', 'uri', 'command', 'cmd'].some((name) => name in fields);
}

/** Whether a value is an object. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

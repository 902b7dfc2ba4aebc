/** A client's configuration file: read, parsed, and its entries found, whichever client it belongs to. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type ParseError, parse as parseJsonc, printParseErrorCode } from 'jsonc-parser';
import { codeOf } from '../../src/auth/tokens/system-error.ts';
import { CheckFailure } from '../smoke/outcome.ts';

/** What a file holds. */
export interface Configuration {
  /** Where its entries are, in the words of the file. */
  readonly place: string;
  readonly entries: ReadonlyMap<string, Fields>;
}

/** An object of a file. */
export type Fields = Readonly<Record<string, unknown>>;

/** Where clients keep their entries, from the usual to the rare. */
const PLACES = [
  'mcpServers',
  'servers',
  'mcp_servers',
  'context_servers',
  'extensions',
  'mcp.servers',
  'mcp',
] as const;

/** The place in which the client of a file looks, by the file's name. */
const READ_BY: readonly (readonly [file: RegExp, client: string, place: string])[] = [
  [/claude_desktop_config\.json$/, 'Claude Desktop', 'mcpServers'],
  [/\.cursor\/mcp\.json$/, 'Cursor', 'mcpServers'],
  [/\.vscode\/mcp\.json$/, 'VS Code', 'servers'],
  [/\.claude\.json$/, 'Claude Code', 'mcpServers'],
  [/\.codex\/config\.toml$/, 'Codex', 'mcp_servers'],
  [/mcp_config\.json$/, 'Windsurf', 'mcpServers'],
  [/goose\/config\.yaml$/, 'goose', 'extensions'],
];

/** More is no configuration. */
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Reads a file.
 * @throws {CheckFailure} saying where it is wrong
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
      `Servers stand under ${reader?.[2] ?? `one of ${PLACES.join(', ')}`}. "npm run connect" prints an entry for each client.`,
    );
  if (reader !== undefined && !places.some((place) => place === reader[2]))
    throw new CheckFailure(
      `The servers stand under ${found}, where ${reader[1]} does not look.`,
      `Put them under ${reader[2]}.`,
    );
  const place = reader?.[2] ?? found;
  return { place, entries: entriesIn(whole, place) };
}

/** Why a file cannot be read, where more can be said than the system's code. */
const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'There is no such file.',
  EISDIR: 'It is a folder, not a file.',
  EACCES: 'The file cannot be read: permission denied.',
};

/** The text of a file. */
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
    throw new CheckFailure('The file is too large for a configuration.', 'Check its path.');
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

/** What reads a file of this name. */
function readerOf(file: string): (text: string) => unknown {
  if (file.endsWith('.toml')) return readToml;
  return /\.ya?ml$/.test(file) ? readYaml : readJson;
}

/** The content of a JSON file; comments and commas at the end are what most editors' files may have. */
function readJson(text: string): unknown {
  const errors: ParseError[] = [];
  const whole: unknown = parseJsonc(text, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error === undefined) return whole;
  const before = text.slice(0, error.offset).split('\n');
  const where = `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
  const quotes = /[\u201C\u201D\u2018\u2019]/.test(text)
    ? ' It has typographic quotes: replace them by ".'
    : '';
  throw new CheckFailure(
    `The file is not JSON: ${printParseErrorCode(error.error)} at ${where}.`,
    `Clients ignore such a file as a whole. Look for a comma or a bracket that is missing there.${quotes}`,
  );
}

/** The content of a TOML file. */
async function readToml(text: string): Promise<unknown> {
  const { parse } = await import('smol-toml').catch(withoutPackage('smol-toml'));
  try {
    return parse(text);
  } catch (error) {
    const { line, column } = isFields(error) ? error : {};
    throw broken('TOML', { line, column }, error);
  }
}

/** The content of a YAML file. */
async function readYaml(text: string): Promise<unknown> {
  const { parse, YAMLParseError } = await import('yaml').catch(withoutPackage('yaml'));
  try {
    return parse(text);
  } catch (error) {
    const at = error instanceof YAMLParseError ? error.linePos?.[0] : undefined;
    throw broken('YAML', { line: at?.line, column: at?.col }, error);
  }
}

/** Says that a file cannot be read here: its parser is optional, and no part of the image. */
function withoutPackage(name: string): () => never {
  return () => {
    throw new CheckFailure(
      `Such a file is read with the package ${name}, which is not installed here.`,
      `Run "npm install ${name}", or run the doctor in a checkout.`,
    );
  };
}

/** Says where a file breaks. */
function broken(
  format: string,
  { line, column }: { readonly line: unknown; readonly column: unknown },
  cause: unknown,
): CheckFailure {
  const at = typeof line === 'number' ? ` at line ${line}, column ${String(column)}` : '';
  return new CheckFailure(
    `The file is not ${format}: it breaks${at}.`,
    'Clients ignore such a file as a whole.',
    { cause },
  );
}

/** The entries in a place, which may lie deeper, with those that Claude Code keeps for single projects. */
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

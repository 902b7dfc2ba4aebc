/** Reads an entry of a configuration as a way to a server: an address with headers, or a command. */
import { CheckFailure } from '../smoke/outcome.ts';
import { type Configuration, type Fields, isFields } from './configuration.ts';
import { isCredential } from './hidden.ts';

/** A client reaches the server over HTTP. */
export interface RemoteWay {
  readonly kind: 'remote';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Whether the client uses HTTP+SSE. */
  readonly isSse: boolean;
}

/** A client starts the server itself, and talks to it over stdio. */
export interface LocalWay {
  readonly kind: 'local';
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string | undefined;
}

/** A way, and the name of its entry. */
export type Way = (RemoteWay | LocalWay) & { readonly name: string };

/** What is known besides the file. */
export interface Known {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The token that stands in for a credential which the client asks its user for, or keeps elsewhere. */
  readonly token: string | undefined;
  /** Called with values that must not be shown. */
  readonly hide: (secret: string) => void;
}

const REPLACE = 'Replace it in the file; "npm run connect" prints a whole entry.';

/**
 * Chooses the entry to look at.
 * @throws {CheckFailure} when it is not clear which one, when none has the name, or when the entry is switched off
 */
export function chooseEntry(
  { place, entries }: Configuration,
  wanted: string | undefined,
  ownName: string,
): [string, Fields] {
  const name =
    wanted ?? (entries.has(ownName) ? ownName : entries.size === 1 ? [...entries.keys()][0] : undefined);
  const names = [...entries.keys()].join(', ');
  if (name === undefined)
    throw new CheckFailure(
      `There are several entries under ${place}: ${names}.`,
      'Choose one with --entry NAME.',
    );
  const fields = entries.get(name);
  if (fields === undefined)
    throw new CheckFailure(`There is no entry ${name} under ${place}.`, `The entries are: ${names}.`);
  if (fields['disabled'] === true || fields['enabled'] === false)
    throw new CheckFailure(
      `The entry ${name} is switched off.`,
      'Switch it on in the client, or in the file.',
    );
  return [name, fields];
}

/**
 * Reads an entry as a way.
 * @throws {CheckFailure} when it names neither a command nor a usable address
 */
export function wayOf([name, fields]: [string, Fields], known: Known): Way {
  const env = { ...textsOf(fields['env']), ...textsOf(fields['envs']), ...textsOf(fields['environment']) };
  const [command, ...args] = commandOf(fields);
  if (command !== undefined) {
    const through = wayThroughMcpRemote(args, { ...known, environment: { ...known.environment, ...env } });
    if (through !== undefined) return { name, ...through };
    const cwd = typeof fields['cwd'] === 'string' ? fields['cwd'] : undefined;
    return { kind: 'local', name, command, args, env: expandAll(env, known), cwd };
  }
  const address = [fields['httpUrl'], fields['serverUrl'], fields['url'], fields['uri']].find(
    (text) => typeof text === 'string',
  );
  if (typeof address !== 'string')
    throw new CheckFailure(`The entry ${name} has neither an address nor a command.`, REPLACE);
  const isSse = fields['type'] === 'sse' || fields['transport'] === 'sse';
  return { name, ...remoteWay(address, headersOf(fields, known), isSse, known) };
}

/** The command of an entry and its arguments, under any of the names that clients use; empty when it has none. */
function commandOf({ command, cmd, args }: Fields): readonly string[] {
  if (Array.isArray(command)) return command.map(String);
  const program = command ?? cmd;
  return typeof program === 'string' ? [program, ...(Array.isArray(args) ? args.map(String) : [])] : [];
}

/** The way of a client, such as Claude Desktop, that reaches a server through mcp-remote; undefined for any other command. */
function wayThroughMcpRemote(args: readonly string[], known: Known): RemoteWay | undefined {
  const at = args.findIndex((argument) => /(^|\/)mcp-remote(@[\w.-]+)?$/.test(argument));
  if (at === -1) return undefined;
  const [address, ...rest] = args.slice(at + 1);
  if (address === undefined) throw new CheckFailure('mcp-remote gets no address.', REPLACE);
  const headers: Record<string, string> = {};
  for (const [index, argument] of rest.entries()) {
    if (argument !== '--header') continue;
    const [, header = '', value = ''] = /^([^:]+):\s*(.*)$/.exec(rest[index + 1] ?? '') ?? [];
    if (header === '')
      throw new CheckFailure(
        'A header of mcp-remote is not "Name:value".',
        'Write --header and Authorization:${AUTH_HEADER} as two arguments.',
      );
    headers[header] = expand(value, known, header);
  }
  const transport = rest[rest.indexOf('--transport') + 1];
  return remoteWay(
    address,
    headers,
    rest.includes('--transport') && transport?.startsWith('sse') === true,
    known,
  );
}

/** Makes a way to an address, after checking the address. */
function remoteWay(
  address: string,
  headers: Readonly<Record<string, string>>,
  saysSse: boolean,
  known: Known,
): RemoteWay {
  const text = expand(address, known, 'the address');
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new CheckFailure('The address is not a URL that begins with https:// or http://.', REPLACE);
  if (url.username !== '' || url.password !== '')
    throw new CheckFailure('The address contains a user name or a password, which clients refuse.', REPLACE);
  if (url.hash !== '')
    throw new CheckFailure(
      'The address is that of a page: the part after # is never sent to a server.',
      `The address must end in /mcp, and the token belongs in a header. ${REPLACE}`,
    );
  if (/(^|\.)(my-app|your-server)\.example$/.test(url.hostname))
    throw new CheckFailure(
      `The address still holds the placeholder ${url.hostname}.`,
      'Replace it with the name of your server.',
    );
  return { kind: 'remote', url, headers, isSse: saysSse || /\/sse\/?$/.test(url.pathname) };
}

/** The headers of an entry, under any of the names that clients use. */
function headersOf(fields: Fields, known: Known): Record<string, string> {
  const headers = { ...textsOf(fields['headers']), ...textsOf(fields['http_headers']) };
  for (const [header, variable] of Object.entries(textsOf(fields['env_http_headers'])))
    headers[header] = `\${${variable}}`;
  const variable = fields['bearer_token_env_var'];
  if (typeof variable === 'string') headers['Authorization'] = `Bearer \${${variable}}`;
  return expandAll(headers, known);
}

/** The strings of an object, with their variables replaced. */
function expandAll(texts: Readonly<Record<string, string>>, known: Known): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, expand(text, known, name)]));
}

/**
 * Replaces variables as clients do: `${NAME}`, `${env:NAME}`, `{env:NAME}`, and `${input:…}`, for which clients ask their user. Where a
 * value is not known, the token stands in for it only where a credential belongs, which the name of the place tells: within an address it
 * would be looked up as a host name.
 */
function expand(text: string, { environment, token, hide }: Known, place: string): string {
  return text.replaceAll(
    /(?:\$\{(?:(env|input):)?|\{env:)([\w.-]+)(?::-([^}]*))?\}/g,
    (_whole, kind: string | undefined, name: string, fallback?: string) => {
      const standIn = isCredential(place) ? token : undefined;
      const value = kind === 'input' ? standIn : (environment[name] ?? fallback ?? standIn);
      if (value === undefined) throw missing(name, kind, place);
      if (isCredential(name)) hide(value);
      return value;
    },
  );
}

/** The failure of a variable that has no value here. */
function missing(name: string, kind: string | undefined, place: string): CheckFailure {
  const problem =
    kind === 'input' ? `The client asks its user for ${name}.` : `The variable ${name} is not set here.`;
  if (isCredential(place))
    return new CheckFailure(
      problem,
      'Give the token to this command as SMOKE_TOKEN, or set the variable to the value that the client has.',
    );
  const advice =
    kind === 'input'
      ? `Write the value itself into a copy of the file: it belongs to ${place}, which holds no credential.`
      : `Set it to the value that the client has: it belongs to ${place}, where SMOKE_TOKEN is not used.`;
  return new CheckFailure(problem, advice);
}

/** The fields of an object as strings. */
function textsOf(value: unknown): Record<string, string> {
  const entries = isFields(value) ? Object.entries(value) : [];
  return Object.fromEntries(entries.map(([name, text]) => [name, String(text)]));
}

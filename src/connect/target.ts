/** The server that a client is to connect to, and the quoting in configurations. */

/** The server as a client sees it, and the token that it is to send. */
export interface ConnectTarget {
  /** Scheme, host and port, and the base path, if a proxy has added one; no slash at the end. */
  readonly origin: string;
  /** The name of the server in the client. */
  readonly name: string;
  /** The token; without it, configurations have a placeholder. */
  readonly token?: string | undefined;
  /** The stdio server on the client's machine; without it, its configuration has placeholders. */
  readonly stdio?: StdioTarget | undefined;
  /** The version of the server, for a registry. */
  readonly version?: string | undefined;
  /** Whether the client sends no header: authentication is off, or the client signs in by itself. */
  readonly withoutHeader?: boolean | undefined;
}

/** Absolute paths of the stdio server's program and of its token file. */
export interface StdioTarget {
  readonly entry: string;
  readonly tokensFile: string;
}

/** The placeholder for a token that is not given. */
export const TOKEN_PLACEHOLDER = 'YOUR_TOKEN';

/** The URL of Streamable HTTP. */
export function mcpUrlOf({ origin }: ConnectTarget): string {
  return `${origin}/mcp`;
}

/** The link to a user's own page. A browser sends nothing behind the `#`, but the link is as secret as the token. */
export function personalLink({ origin, token }: { readonly origin: string; readonly token: string }): string {
  return `${origin}/#token=${encodeURIComponent(token)}`;
}

/** The value of the Authorization header. */
export function bearerOf({ token = TOKEN_PLACEHOLDER }: ConnectTarget): string {
  return `Bearer ${token}`;
}

/** The headers of a configuration, as a property to spread; none if the client sends no credential. */
export function headersOf(target: ConnectTarget): { readonly headers?: { readonly Authorization: string } } {
  return target.withoutHeader === true ? {} : { headers: { Authorization: bearerOf(target) } };
}

/** Whether the address is a loopback address: the server is on the client's own machine. */
export function isLoopback({ origin }: ConnectTarget): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(origin).hostname);
}

/** Indented JSON, as in configuration files. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

/** Quotes an argument for a shell: in double quotes, which every shell has, unless it contains characters that they do not protect. */
export function quoteForShell(argument: string): string {
  if (/^[\w./:@=,-]+$/.test(argument)) return argument;
  if (/^[\w ./:@=,;-]+$/.test(argument)) return `"${argument}"`;
  return `'${argument.replaceAll("'", String.raw`'\''`)}'`;
}

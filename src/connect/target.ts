/** What a client is to be connected to, and the quoting that its configuration needs. Runs in a browser as well. */

/** The server as a client sees it, and the token that it is to send. */
export interface ConnectTarget {
  /** Scheme, host and port, and the path that a proxy has put the server under; no slash at its end. */
  readonly origin: string;
  /** What the client calls the server. */
  readonly name: string;
  /** Without it a placeholder stands where the token goes. */
  readonly token?: string | undefined;
  /** Where the stdio server lies on the client's machine; without it a placeholder. */
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

/** What stands for a token that is not given. */
export const TOKEN_PLACEHOLDER = 'YOUR_TOKEN';

/** The URL of Streamable HTTP. */
export function mcpUrlOf({ origin }: ConnectTarget): string {
  return `${origin}/mcp`;
}

/** A link to the page as its user's own. What stands behind the # stays in the browser; still the link is as secret as the token. */
export function personalLink({ origin, token }: { readonly origin: string; readonly token: string }): string {
  return `${origin}/#token=${encodeURIComponent(token)}`;
}

/** The value of the Authorization header. */
export function bearerOf({ token = TOKEN_PLACEHOLDER }: ConnectTarget): string {
  return `Bearer ${token}`;
}

/** The headers that a configuration has, as a property to spread; none where the client sends no credential. */
export function headersOf(target: ConnectTarget): { readonly headers?: { readonly Authorization: string } } {
  return target.withoutHeader === true ? {} : { headers: { Authorization: bearerOf(target) } };
}

/** Whether the server is on the client's own machine. */
export function isLoopback({ origin }: ConnectTarget): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(origin).hostname);
}

/** JSON as configuration files have it. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

/** An argument for a shell: in double quotes, which every shell knows, unless it holds what they do not protect. */
export function quoteForShell(argument: string): string {
  if (/^[\w./:@=,-]+$/.test(argument)) return argument;
  if (/^[\w ./:@=,;-]+$/.test(argument)) return `"${argument}"`;
  return `'${argument.replaceAll("'", String.raw`'\''`)}'`;
}

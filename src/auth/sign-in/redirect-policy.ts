/**
 * Where a user may be sent back to with a code. Whoever registers a client can write any address and any name, and the page that takes
 * the token is the real one: so that no code goes astray, the addresses are those of the clients that there are.
 */

/** The callbacks of clients that run elsewhere, and of programs with a scheme of their own. */
const VENDOR_CALLBACKS: ReadonlySet<string> = new Set([
  'https://claude.ai/api/mcp/auth_callback',
  'https://claude.com/api/mcp/auth_callback',
  'https://chatgpt.com/connector_platform_oauth_redirect',
  'https://www.cursor.com/agents/mcp/oauth/callback',
  'cursor://anysphere.cursor-mcp/oauth/callback',
  'https://vscode.dev/redirect',
  'https://insiders.vscode.dev/redirect',
]);

/** ChatGPT has one for each connector. */
const CHATGPT_CALLBACK = /^https:\/\/chatgpt\.com\/connector\/oauth\/[\w-]{1,128}$/;

/** A program on the user's own machine (RFC 8252, section 7.3): its host, its port, and the rest. */
const LOOPBACK = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(?::(\d{1,5}))?([/?].*)?$/;

/** Schemes that browsers act on by themselves, or that name no program. */
const NEVER_SCHEMES =
  /^(about|blob|chrome|data|edge|file|filesystem|ftp|http|intent|javascript|mailto|resource|tel|vbscript|view-source|ws|wss):/i;

/** What the answer adds: a redirect that has one of them already would make two answers of one. */
const RESPONSE_PARAMETERS = ['code', 'state', 'iss', 'error', 'error_description', 'response'];

/** Whether an address can be a redirect at all: https, a loopback address, or the scheme of a program. */
function isRedirectUri(uri: string): boolean {
  if (!/^[\x21-\x7e]+$/.test(uri) || /[\\<>"^`{|}#]/.test(uri) || !URL.canParse(uri)) return false;
  if (LOOPBACK.test(uri)) return !addsResponse(uri);
  const { protocol, username, password, hostname } = new URL(uri);
  if (username !== '' || password !== '' || NEVER_SCHEMES.test(protocol)) return false;
  // `https:host` is an address to a browser too.
  if (protocol === 'https:' && (!/^https:\/\/[^/?@]+/.test(uri) || hostname === '')) return false;
  return !addsResponse(uri);
}

/** Whether an address holds a parameter that only the answer may add. */
function addsResponse(uri: string): boolean {
  const { searchParams } = new URL(uri);
  return RESPONSE_PARAMETERS.some((name) => searchParams.has(name));
}

/** Whether an address leads to a program on the user's own machine. */
export function isLoopbackRedirect(uri: string): boolean {
  return LOOPBACK.test(uri);
}

/**
 * Whether the address that a request names is one that its client has. Exactly, but for the port of a loopback address, which a program
 * takes as it is free. The names of the loopback address are not each other: another program may listen on the other one.
 */
export function isSameRedirect(known: string, asked: string): boolean {
  if (known === asked) return true;
  const [one, other] = [LOOPBACK.exec(known), LOOPBACK.exec(asked)];
  if (one === null || other === null || Number(other[2] ?? 0) > 65_535) return false;
  return one[1] === other[1] && (one[3] ?? '/') === (other[3] ?? '/');
}

/** Decides which addresses users may be sent to. */
export interface RedirectPolicy {
  /** Whether a client that registered itself may have the address. */
  allows(uri: string): boolean;
  /** Whether a client may have it whose document is at this host: its own addresses as well. */
  allowsDocument(uri: string, documentHost: string): boolean;
}

/** Makes the policy; `more` are exact addresses that the operator adds. */
export function createRedirectPolicy(more: readonly string[]): RedirectPolicy {
  const added = new Set(more);
  const allows = (uri: string): boolean =>
    isRedirectUri(uri) &&
    (VENDOR_CALLBACKS.has(uri) || CHATGPT_CALLBACK.test(uri) || LOOPBACK.test(uri) || added.has(uri));
  return {
    allows,
    allowsDocument: (uri, documentHost) =>
      allows(uri) || (isRedirectUri(uri) && uri.startsWith('https://') && new URL(uri).host === documentHost),
  };
}

/** A redirect with the answer's parameters behind it. The client's own query stays as it is, byte for byte. */
export function addToRedirect(uri: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(parameters).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  const separator = /[?&]$/.test(uri) ? '' : uri.includes('?') ? '&' : '?';
  return `${uri}${separator}${new URLSearchParams(given).toString()}`;
}

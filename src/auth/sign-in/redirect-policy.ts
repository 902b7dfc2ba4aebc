/**
 * The redirects that a user may be sent to with a code. Whoever registers a client can write any address and any name, and the page that takes the
 * token is the real one. So that no code goes astray, only redirects of known clients, of the user's own machine and of the operator are allowed.
 */

/** The redirects of known clients: of those that run on the web, and of programs with a URI scheme of their own. */
const VENDOR_CALLBACKS: ReadonlySet<string> = new Set([
  'https://claude.ai/api/mcp/auth_callback',
  'https://claude.com/api/mcp/auth_callback',
  'https://chatgpt.com/connector_platform_oauth_redirect',
  'https://www.cursor.com/agents/mcp/oauth/callback',
  'cursor://anysphere.cursor-mcp/oauth/callback',
  'https://vscode.dev/redirect',
  'https://insiders.vscode.dev/redirect',
]);

/** ChatGPT has a redirect for each connector. */
const CHATGPT_CALLBACK = /^https:\/\/chatgpt\.com\/connector\/oauth\/[\w-]{1,128}$/;

/** A redirect to a program on the user's own machine (RFC 8252, section 7.3). The groups are its host, its port, and the rest. */
const LOOPBACK = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(?::(\d{1,5}))?([/?].*)?$/;

/** Schemes that are never allowed: browsers act on them by themselves, or they name no program. */
const NEVER_SCHEMES =
  /^(about|blob|chrome|data|edge|file|filesystem|ftp|http|intent|javascript|mailto|resource|tel|vbscript|view-source|ws|wss):/i;

/** The parameters that the response adds. A redirect that has one of them already would make two responses of one. */
const RESPONSE_PARAMETERS = ['code', 'state', 'iss', 'error', 'error_description', 'response'];

/** Whether an address can be a redirect at all: https, a loopback address, or the scheme of a program. */
function isRedirectUri(uri: string): boolean {
  if (!/^[\x21-\x7e]+$/.test(uri) || /[\\<>"^`{|}#]/.test(uri) || !URL.canParse(uri)) return false;
  if (LOOPBACK.test(uri)) return !addsResponse(uri);
  const { protocol, username, password, hostname } = new URL(uri);
  if (username !== '' || password !== '' || NEVER_SCHEMES.test(protocol)) return false;
  // Browsers take `https:host` for an address, too.
  if (protocol === 'https:' && (!/^https:\/\/[^/?@]+/.test(uri) || hostname === '')) return false;
  return !addsResponse(uri);
}

/** Whether an address has a parameter that only the response may add. */
function addsResponse(uri: string): boolean {
  const { searchParams } = new URL(uri);
  return RESPONSE_PARAMETERS.some((name) => searchParams.has(name));
}

/** Whether an address leads to a program on the user's own machine. */
export function isLoopbackRedirect(uri: string): boolean {
  return LOOPBACK.test(uri);
}

/**
 * Whether the redirect of a request is one that its client has registered. Both must be equal but for the port of a loopback address, as a program
 * takes any free one. The loopback names are not equal to each other: another program may listen on another of them.
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
  /** Whether a client whose document is at this host may have the address: https addresses on that host are allowed as well. */
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

/** Adds the parameters of a response to a redirect. The client's own query stays as it is, byte for byte. */
export function addToRedirect(uri: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(parameters).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  const separator = /[?&]$/.test(uri) ? '' : uri.includes('?') ? '&' : '?';
  return `${uri}${separator}${new URLSearchParams(given).toString()}`;
}

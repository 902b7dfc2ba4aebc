/** The messages of MCP, revision 2026-07-28: how a request is written, and how an answer or a refusal is read. */

/** @typedef {import('./mcp-client.js').Json} Json */

/** The error of a request without a result. Its message is the server's own, if the server has sent one. */
export class RequestError extends Error {
  /**
   * @param {string} message
   * @param {{ status?: string, code?: string, cause?: unknown }} [details]
   */
  constructor(message, { status = '', code = '', cause } = {}) {
    super(message, { cause });
    this.status = status;
    this.code = code;
  }
}

const REVISION = '2026-07-28';

/**
 * Makes a request of this revision. Its metadata is in the body, and is repeated in headers for proxies.
 *
 * @param {string | number} id
 * @param {string} method
 * @param {Json} params
 * @param {boolean} wantsProgress
 */
export function envelope(id, method, params, wantsProgress = false) {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': REVISION,
    'io.modelcontextprotocol/clientInfo': { name: 'page', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
    ...(wantsProgress && { progressToken: id }),
  };
  /** @type {Record<string, string>} */
  const headers = {
    'Content-Type': 'application/json',
    'MCP-Protocol-Version': REVISION,
    'Mcp-Method': method,
  };
  const name = params['name'] ?? params['uri'];
  if (typeof name === 'string') headers['Mcp-Name'] = encodeHeader(name);
  return { message: { jsonrpc: '2.0', id, method, params: { ...params, _meta } }, headers };
}

/**
 * Returns the result at the end of an answer; throws the refusal if there is none.
 *
 * @param {import('./mcp-client.js').Exchange} exchange
 * @returns {Json}
 */
export function resultOf({ answer, status }) {
  const message = parseObject(answer.at(-1) ?? '');
  const result = asObject(message?.['result']);
  if (result !== undefined) return result;
  throw refusalOf(message, status);
}

/**
 * Makes the error of a refusal in the server's own words: of a JSON-RPC error, or of the two fields of RFC 6749.
 *
 * @param {Json | undefined} body
 * @param {string} status
 */
export function refusalOf(body, status) {
  const error = asObject(body?.['error']);
  const words = error?.['message'] ?? body?.['error_description'];
  const code = asObject(error?.['data'])?.['error'] ?? error?.['code'] ?? body?.['error'];
  return new RequestError(
    typeof words === 'string' ? words : 'The server answered with something that is not JSON-RPC.',
    { status, code: typeof code === 'string' || typeof code === 'number' ? String(code) : '' },
  );
}

/**
 * Turns the failure of a request into an error with words for people.
 *
 * @param {unknown} error
 */
export function asRequestError(error) {
  if (error instanceof RequestError) return error;
  if (error instanceof DOMException && error.name === 'AbortError')
    return new RequestError('Cancelled.', { code: 'cancelled', cause: error });
  const words = 'The connection failed before the answer was complete. Is the server still running?';
  return new RequestError(words, { code: 'no answer', cause: error });
}

/**
 * Reads the progress that a message reports; undefined for other messages.
 *
 * @param {string} text
 * @returns {import('./mcp-client.js').Progress | undefined}
 */
export function progressOf(text) {
  const message = parseObject(text);
  if (message?.['method'] !== 'notifications/progress') return undefined;
  const { progress, total, message: words } = asObject(message['params']) ?? {};
  if (typeof progress !== 'number') return undefined;
  return {
    progress,
    ...(typeof total === 'number' && { total }),
    ...(typeof words === 'string' && { message: words }),
  };
}

/**
 * A copy of a value that is an object; undefined for any other.
 *
 * @param {unknown} value
 * @returns {Json | undefined}
 */
export function asObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}

/**
 * Parses a text as a JSON object; undefined if it is none.
 *
 * @param {string} text
 */
export function parseObject(text) {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/**
 * The headers in which this revision repeats the parameters that a schema marks with `x-mcp-header`.
 *
 * @param {Json} schema a tool's input schema
 * @param {Json} input
 */
export function paramHeaders({ properties }, input) {
  /** @type {Record<string, string>} */
  const headers = {};
  for (const [name, property] of Object.entries(asObject(properties) ?? {})) {
    const header = asObject(property)?.['x-mcp-header'];
    const value = Object.hasOwn(input, name) ? input[name] : undefined;
    if (typeof header !== 'string' || !['string', 'number', 'boolean'].includes(typeof value)) continue;
    headers[`Mcp-Param-${header}`] = encodeHeader(String(value));
  }
  return headers;
}

/**
 * Encodes a text as the value of a header: in Base64, and marked as such, if it could not be sent as it is.
 *
 * @param {string} text
 */
function encodeHeader(text) {
  const isPlain = /^[\x20-\x7e\t]+$/.test(text) && text === text.trim() && !/^=\?base64\?.*\?=$/.test(text);
  if (isPlain) return text;
  const bytes = new TextEncoder().encode(text);
  return `=?base64?${btoa(Array.from(bytes, (byte) => String.fromCodePoint(byte)).join(''))}?=`;
}

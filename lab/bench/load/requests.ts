/** The bytes of the requests that clients send. */

/** What a request is made from. */
export interface RequestParts {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Spells requests of one kind; what stays the same is put together once. */
export type RequestSpeller = (token: string, body?: string) => string;

/** Makes the speller of one kind of request. Bodies must be ASCII. */
export function createSpeller({ method, path, headers = {} }: RequestParts): RequestSpeller {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines.join('')}`;
  return (token, body) => {
    const start = `${head}Authorization: Bearer ${token}\r\n`;
    if (body === undefined) return `${start}\r\n`;
    return `${start}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  };
}

/** What clients of Streamable HTTP accept. */
export const ACCEPT_BOTH = { Accept: 'application/json, text/event-stream' } as const;

/** The revision that sessions of Streamable HTTP are opened with: the latest that every peer speaks. */
export const SESSION_REVISION = '2025-06-18';

/** The stateless revision. */
export const STATELESS_REVISION = '2026-07-28';

/** The `initialize` request. */
export function initializeMessage(protocolVersion: string): string {
  const params = { protocolVersion, capabilities: {}, clientInfo: CLIENT_INFO };
  return JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params });
}

/** What follows the answer to `initialize`. */
export const INITIALIZED_MESSAGE = '{"jsonrpc":"2.0","method":"notifications/initialized"}';

/** What a client asks next. */
export const LIST_MESSAGE = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';

/** A tool call whose right answer is known. */
export interface KnownCall {
  readonly tool: string;
  readonly input: Readonly<Record<string, string>>;
  /** The message with this id. */
  message(id: number): string;
  /** The text that the answer must hold. */
  readonly answer: string;
}

/** The call of a row, with nothing that it need not say. */
export function createKnownCall({
  messageBytes,
  isStateless,
}: {
  readonly messageBytes?: number | undefined;
  readonly isStateless: boolean;
}): KnownCall {
  const meta = isStateless ? { _meta: STATELESS_META } : {};
  const text = 'x'.repeat(messageBytes ?? 0);
  const [tool, input, answer] =
    messageBytes === undefined
      ? (['get_greeting', { name: 'Ada' }, 'Hello, Ada!'] as const)
      : (['echo_message', { message: text }, text] as const);
  const params = JSON.stringify({ name: tool, arguments: input, ...meta });
  return {
    tool,
    input,
    answer,
    message: (id) => `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":${params}}`,
  };
}

const CLIENT_INFO = { name: 'bench', version: '1' };

/** What each request of the stateless revision says instead of a handshake. */
export const STATELESS_META = {
  'io.modelcontextprotocol/protocolVersion': STATELESS_REVISION,
  'io.modelcontextprotocol/clientInfo': CLIENT_INFO,
  'io.modelcontextprotocol/clientCapabilities': {},
};

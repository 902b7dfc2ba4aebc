/** Builds the bytes of the requests that clients send. */

/** The parts of a kind of request. */
export interface RequestParts {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Builds requests of one kind; the parts that stay the same are joined once. */
export type RequestSpeller = (token: string, body?: string) => string;

/** Makes the builder for one kind of request. Bodies must be ASCII. */
export function createSpeller({ method, path, headers = {} }: RequestParts): RequestSpeller {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines.join('')}`;
  return (token, body) => {
    const start = `${head}Authorization: Bearer ${token}\r\n`;
    if (body === undefined) return `${start}\r\n`;
    return `${start}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  };
}

/** The Accept header of clients of Streamable HTTP. */
export const ACCEPT_BOTH = { Accept: 'application/json, text/event-stream' } as const;

/** The revision of Streamable HTTP sessions: the latest that every peer supports. */
export const SESSION_REVISION = '2025-06-18';

/** The stateless revision. */
export const STATELESS_REVISION = '2026-07-28';

/** Makes the `initialize` request. */
export function initializeMessage(protocolVersion: string): string {
  const params = { protocolVersion, capabilities: {}, clientInfo: CLIENT_INFO };
  return JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params });
}

/** The notification that follows the answer to `initialize`. */
export const INITIALIZED_MESSAGE = '{"jsonrpc":"2.0","method":"notifications/initialized"}';

/** The request that clients usually send next. */
export const LIST_MESSAGE = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';

/** A tool call with a known answer. */
export interface KnownCall {
  readonly tool: string;
  readonly input: Readonly<Record<string, string>>;
  /** Makes the message with this id. */
  message(id: number): string;
  /** The text of the right answer. */
  readonly answer: string;
}

/** Makes the call of a row, with nothing that may be left out. */
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

/** The members of `_meta` that replace the handshake in the stateless revision. */
export const STATELESS_META = {
  'io.modelcontextprotocol/protocolVersion': STATELESS_REVISION,
  'io.modelcontextprotocol/clientInfo': CLIENT_INFO,
  'io.modelcontextprotocol/clientCapabilities': {},
};

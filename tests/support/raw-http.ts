/** Sends HTTP to a server under test, byte by byte or by fetch: what real clients send, and what none of them would. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A complete answer. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body parsed as JSON; undefined when it is not JSON. */
  readonly body: unknown;
}

/** How long anything here waits before it fails. Milliseconds. */
const DEADLINE_MS = 15_000;

/** Waits until a condition holds, and fails when it never does. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  { what = 'the condition', deadlineMs = DEADLINE_MS }: { what?: string; deadlineMs?: number } = {},
): Promise<void> {
  const end = Date.now() + deadlineMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`Waited ${deadlineMs} ms for ${what}.`);
    await delay(10);
  }
}

/** A TCP connection to the server. */
export interface RawConnection {
  readonly socket: Socket;
  /** Everything that has arrived so far; each byte is one character. */
  received(): string;
  /** Sends bytes. */
  write(bytes: string | Buffer): void;
  /** Waits until the received text matches; returns the text. */
  waitFor(pattern: RegExp): Promise<string>;
  /** Waits until the server has closed or reset the connection; returns everything that arrived. */
  closed(deadlineMs?: number): Promise<string>;
}

/** Opens a connection, from another address of this machine if one is given. */
export async function openRaw(
  url: string,
  from: { readonly localAddress?: string } = {},
): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), ...from });
  // A reset only ends the wait; what has arrived can still be read.
  socket.on('error', () => undefined);
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
  await once(socket, 'connect');
  return {
    socket,
    received: () => received,
    write: (bytes) => void socket.write(bytes),
    async waitFor(pattern) {
      await eventually(() => pattern.test(received) || socket.destroyed, { what: String(pattern) });
      if (!pattern.test(received)) throw new Error(`Closed before ${String(pattern)}; got: ${received}`);
      return received;
    },
    async closed(deadlineMs = DEADLINE_MS) {
      await eventually(() => socket.destroyed || socket.readableEnded, {
        what: 'the connection to close',
        deadlineMs,
      });
      socket.destroy();
      return received;
    },
  };
}

/** Sends a request head and a body as they are, with `Connection: close` added. */
export async function sendRaw(
  url: string,
  head: readonly string[],
  body: string | Buffer = '',
): Promise<Answer> {
  const connection = await openRaw(url);
  connection.write(`${[...head, 'Connection: close'].join('\r\n')}\r\n\r\n`);
  if (body.length > 0) connection.write(body);
  return parseAnswer(await connection.closed());
}

/** Parses the first answer in the bytes that have arrived on a connection. */
export function parseAnswer(received: string): Answer {
  const headEnd = received.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = received.slice(0, headEnd).split('\r\n');
  const headers = new Headers();
  for (const line of lines)
    headers.append(line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1));
  const rest = received.slice(headEnd + 4);
  const length = headers.get('content-length');
  const latin1 = length === null ? unchunk(rest) : rest.slice(0, Number(length));
  return answerOf(Number(statusLine.split(' ')[1]), headers, Buffer.from(latin1, 'latin1').toString());
}

/** The content of a chunked body; any other body unchanged. */
function unchunk(text: string): string {
  let rest = text;
  let content = '';
  for (let match = /^([0-9a-f]+)\r\n/i.exec(rest); match !== null; match = /^([0-9a-f]+)\r\n/i.exec(rest)) {
    const start = match[0].length;
    const end = start + Number.parseInt(match[1] ?? '', 16);
    content += rest.slice(start, end);
    rest = rest.slice(end + 2);
  }
  return content === '' ? rest : content;
}

/** Makes an answer, with its body parsed if it is JSON. */
function answerOf(status: number, headers: Headers, text: string): Answer {
  let body: unknown;
  try {
    body = JSON.parse(text) as unknown;
  } catch {
    body = undefined;
  }
  return { status, headers, text, body };
}

/** The parts of a request besides its URL. */
export interface RequestOptions {
  readonly method?: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; a string is sent unchanged. */
  readonly body?: unknown;
}

/** Makes the options for fetch, with the headers that MCP clients send. */
export function requestInit({ method, token, headers = {}, body }: RequestOptions): RequestInit {
  const hasBody = body !== undefined;
  return {
    method: method ?? (hasBody ? 'POST' : 'GET'),
    redirect: 'manual',
    headers: {
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      ...(hasBody && { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' }),
      ...headers,
    },
    ...(hasBody && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  };
}

/** Sends a request and reads the whole answer. */
export async function send(url: string, options: RequestOptions = {}): Promise<Answer> {
  const response = await fetch(url, { ...requestInit(options), signal: AbortSignal.timeout(DEADLINE_MS) });
  return answerOf(response.status, response.headers, await response.text());
}

/** Makes an `initialize` request. */
export function initialize(protocolVersion = '2025-11-25', id: string | number = 0): object {
  return rpc(id, 'initialize', {
    protocolVersion,
    capabilities: {},
    clientInfo: { name: 'raw', version: '1' },
  });
}

/** Makes a JSON-RPC request. */
export function rpc(id: unknown, method: string, params?: unknown): object {
  return { jsonrpc: '2.0', id, method, ...(params !== undefined && { params }) };
}

/** Makes a `tools/call` request. */
export function callTool(id: unknown, name: string, input: object = {}): object {
  return rpc(id, 'tools/call', { name, arguments: input });
}

/** An open session of Streamable HTTP. */
export interface RawSession {
  readonly id: string;
  /** The headers with the session id and the user's token. */
  readonly headers: Readonly<Record<string, string>>;
  /** Sends a message in the session, with its user's token unless the options say otherwise. */
  post(body: unknown, options?: RequestOptions): Promise<Answer>;
}

/** Opens a session of Streamable HTTP and completes the handshake. */
export async function openMcpSession(
  url: string,
  token: string,
  protocolVersion = '2025-11-25',
): Promise<RawSession> {
  const opened = await send(`${url}/mcp`, { token, body: initialize(protocolVersion) });
  const id = opened.headers.get('mcp-session-id');
  if (id === null) throw new Error(`No session: ${opened.status} ${opened.text}`);
  const headers = { Authorization: `Bearer ${token}`, 'Mcp-Session-Id': id };
  const post = (body: unknown, options: RequestOptions = {}): Promise<Answer> =>
    send(`${url}/mcp`, { body, ...options, headers: { ...headers, ...options.headers } });
  await post({ jsonrpc: '2.0', method: 'notifications/initialized' });
  return { id, headers, post };
}

/** Makes the headers and the body of a request of the stateless revision. */
export function stateless(
  message: { readonly method: string; readonly params?: Readonly<Record<string, unknown>> },
  { id = 1, token }: { readonly id?: string | number; readonly token?: string } = {},
): RequestOptions {
  const { method, params = {} } = message;
  const name = params['name'] ?? params['uri'];
  const envelope = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  return {
    ...(token !== undefined && { token }),
    headers: {
      'MCP-Protocol-Version': '2026-07-28',
      'Mcp-Method': method,
      ...(typeof name === 'string' && { 'Mcp-Name': name }),
    },
    body: rpc(id, method, { ...params, _meta: { ...envelope, ...(params['_meta'] as object | undefined) } }),
  };
}

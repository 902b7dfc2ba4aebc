/**
 * The floor: the least work with which a server on Node can answer. One `node:http` server that looks the credential up
 * in a Map, parses the body, and writes an answer that is assembled by hand. It checks nothing else: do not use it as a model.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tokenOf } from './tokens.ts';

/** The parts of a message that the floor reads. */
interface Message {
  readonly id?: number;
  readonly method: string;
  readonly params?: { readonly name?: string; readonly arguments?: { name?: string; message?: string } };
}

const USERS = new Map([[`Bearer ${tokenOf(0)}`, { userId: 'user0', name: 'User 0' }]]);
const TOOLS = JSON.stringify({
  tools: [{ name: 'get_greeting', title: 'Greeting', inputSchema: { type: 'object' } }],
});
const ABOUT = '{"supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"resultType":"complete"}';
/** The user of each session, and the streams of HTTP+SSE sessions. */
const sessions = new Map<string, string>();
const streams = new Map<string, ServerResponse>();

createServer((req, res) => {
  const url = req.url ?? '';
  if (url === '/health') return answer(res, 200, '{"status":"ok"}');
  const user = USERS.get(req.headers.authorization ?? '');
  if (user === undefined) return answer(res, 401, '{"error":"invalid_token"}');
  if (url === '/tools') return answer(res, 200, TOOLS);
  if (url === '/sse') return openStream(res, user.userId);
  if (url === '/mcp')
    return req.method === 'DELETE'
      ? endSession(req, res)
      : readMessage(req, (message) => answerPost(req, res, message));
  const stream = streams.get(url.slice(MESSAGES.length));
  if (stream === undefined) return answer(res, 404, '{"error":"not_found"}');
  readMessage(req, (message) => {
    if (message.id !== undefined) stream.write(`event: message\ndata: ${resultOf(message)}\n\n`);
    answer(res, 202, 'Accepted');
  });
}).listen(Number(process.env['PORT']), '127.0.0.1');

const MESSAGES = '/messages?sessionId=';

/** Opens a stream of HTTP+SSE. */
function openStream(res: ServerResponse, userId: string): void {
  const id = randomUUID();
  res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
  res.write(`event: endpoint\ndata: ${MESSAGES}${id}\n\n`);
  streams.set(id, res);
  sessions.set(id, userId);
  res.once('close', () => void (streams.delete(id) && sessions.delete(id)));
}

/** Answers a POST of Streamable HTTP, with or without a session. */
function answerPost(req: IncomingMessage, res: ServerResponse, message: Message): void {
  let id = req.headers['mcp-session-id'];
  if (message.method === 'initialize') sessions.set((id = randomUUID()), 'user0');
  if (typeof id === 'string' && !sessions.has(id)) return answer(res, 404, '{"error":"session_not_found"}');
  if (typeof id === 'string') res.setHeader('Mcp-Session-Id', id);
  if (message.id === undefined) answer(res, 202, '');
  else answer(res, 200, resultOf(message));
}

/** Ends a session of Streamable HTTP. */
function endSession(req: IncomingMessage, res: ServerResponse): void {
  answer(res, sessions.delete(String(req.headers['mcp-session-id'])) ? 200 : 404, '');
}

/** Reads the body and parses it. */
function readMessage(req: IncomingMessage, then: (message: Message) => void): void {
  const chunks: Buffer[] = [];
  req.on('data', (chunk: Buffer) => chunks.push(chunk));
  req.on('end', () => {
    const [only, ...more] = chunks;
    const bytes = only !== undefined && more.length === 0 ? only : Buffer.concat(chunks);
    // oxlint-disable-next-line no-unsafe-type-assertion -- the floor checks nothing: that is what it is
    then(JSON.parse(bytes.toString()) as Message);
  });
}

/** The answer to a request, as JSON text. */
function resultOf({ id, method, params }: Message): string {
  if (method === 'initialize') {
    const info = '"capabilities":{"tools":{}},"serverInfo":{"name":"floor","version":"1"}';
    return `{"jsonrpc":"2.0","id":${id},"result":{"protocolVersion":"2025-06-18",${info}}}`;
  }
  if (method === 'tools/list') return `{"jsonrpc":"2.0","id":${id},"result":${TOOLS}}`;
  if (method === 'server/discover') return `{"jsonrpc":"2.0","id":${id},"result":${ABOUT}}`;
  const { name, message } = params?.arguments ?? {};
  const text = params?.name === 'echo_message' ? message : `Hello, ${name}!`;
  return `{"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":${JSON.stringify(text)}}]}}`;
}

/** Writes a complete response. */
function answer(res: ServerResponse, status: number, body: string): void {
  res.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
  res.end(body);
}

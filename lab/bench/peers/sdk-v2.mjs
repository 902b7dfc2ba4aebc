/** Peer: `@modelcontextprotocol/server` v2 with its adapter for `node:http`: a stateless handler, and sessions. */
import { randomUUID } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import { NodeStreamableHTTPServerTransport, toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { DESCRIPTIONS, greet, PORT, userOf } from './shared.mjs';

/** Makes a server, one for each session or stateless request. */
function createServer() {
  const server = new McpServer({ name: 'sdk-v2', version: '1' });
  server.registerTool(
    'get_greeting',
    {
      description: DESCRIPTIONS.get_greeting,
      inputSchema: z.object({ name: z.string().min(1).max(200).optional() }),
    },
    (input) => ({ content: [{ type: 'text', text: greet(input) }] }),
  );
  server.registerTool(
    'echo_message',
    { description: DESCRIPTIONS.echo_message, inputSchema: z.object({ message: z.string().min(1) }) },
    ({ message }) => ({ content: [{ type: 'text', text: message }] }),
  );
  return server;
}

const handleStateless = toNodeHandler(createMcpHandler(createServer, { legacy: 'reject' }));
const sessions = new Map();

/** The transport of the session that a request names, or of a new one. */
async function sessionOf(req) {
  const known = sessions.get(req.headers['mcp-session-id']);
  if (known !== undefined) return known;
  const transport = new NodeStreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    enableJsonResponse: true,
    onsessioninitialized: (id) => void sessions.set(id, transport),
    onsessionclosed: (id) => void sessions.delete(id),
  });
  await createServer().connect(transport);
  return transport;
}

/** The answer to `GET /tools`: only node:http and the look-up of the credential take part in it. */
const TOOLS = Object.entries(DESCRIPTIONS).map(([name, description]) => ({ name, description }));

createHttpServer(async (req, res) => {
  if (userOf(req.headers.authorization) === undefined) return res.writeHead(401).end();
  if (req.url === '/tools') {
    res.setHeader('Content-Type', 'application/json');
    return res.end(JSON.stringify({ tools: TOOLS }));
  }
  if (req.headers['mcp-protocol-version'] === '2026-07-28') return handleStateless(req, res);
  const transport = await sessionOf(req);
  return transport.handleRequest(req, res);
}).listen(PORT, '127.0.0.1');

/** Peer: `@modelcontextprotocol/sdk` v1 on Express, wired as its README shows: each session has a server and a transport. */
import { randomUUID } from 'node:crypto';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import express from 'express';
import { z } from 'zod';
import { DESCRIPTIONS, greet, PORT, userOf } from './shared.mjs';

/** Makes the server of a session. */
function createServer() {
  const server = new McpServer({ name: 'express-sdk-v1', version: '1' });
  server.registerTool(
    'get_greeting',
    { description: DESCRIPTIONS.get_greeting, inputSchema: { name: z.string().min(1).max(200).optional() } },
    (input) => ({ content: [{ type: 'text', text: greet(input) }] }),
  );
  server.registerTool(
    'echo_message',
    { description: DESCRIPTIONS.echo_message, inputSchema: { message: z.string().min(1) } },
    ({ message }) => ({ content: [{ type: 'text', text: message }] }),
  );
  return server;
}

const app = express();
app.use((req, res, next) => {
  req.user = userOf(req.headers.authorization);
  if (req.user === undefined) res.status(401).json({ error: 'invalid_token' });
  else next();
});

const streams = new Map();
app.get('/sse', async (_req, res) => {
  const transport = new SSEServerTransport('/messages', res);
  streams.set(transport.sessionId, transport);
  res.on('close', () => streams.delete(transport.sessionId));
  await createServer().connect(transport);
});
// oxlint-disable-next-line oxc/no-async-endpoint-handlers -- Express 5 hands a rejection on to its error handler
app.post('/messages', express.json({ limit: '4mb' }), async (req, res) => {
  const transport = streams.get(req.query.sessionId);
  if (transport === undefined) res.status(404).end();
  else await transport.handlePostMessage(req, res, req.body);
});

const sessions = new Map();
// oxlint-disable-next-line oxc/no-async-endpoint-handlers -- Express 5 hands a rejection on to its error handler
app.all('/mcp', express.json({ limit: '4mb' }), async (req, res) => {
  let transport = sessions.get(req.headers['mcp-session-id']);
  if (transport === undefined) {
    transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      enableJsonResponse: true,
      onsessioninitialized: (id) => sessions.set(id, transport),
      onsessionclosed: (id) => sessions.delete(id),
    });
    await createServer().connect(transport);
  }
  await transport.handleRequest(req, res, req.body);
});
app.listen(PORT, '127.0.0.1');

/** Peer: `mcp-lite` with its in-memory sessions, on Hono as its README shows. */
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { InMemorySessionAdapter, McpServer, StreamableHttpTransport } from 'mcp-lite';
import { z } from 'zod';
import { DESCRIPTIONS, greet, PORT, userOf } from './shared.mjs';

const mcp = new McpServer({
  name: 'mcp-lite',
  version: '1.0.0',
  schemaAdapter: (schema) => z.toJSONSchema(schema),
});
mcp.tool('get_greeting', {
  description: DESCRIPTIONS.get_greeting,
  inputSchema: z.object({ name: z.string().min(1).max(200).optional() }),
  handler: (input) => ({ content: [{ type: 'text', text: greet(input) }] }),
});
mcp.tool('echo_message', {
  description: DESCRIPTIONS.echo_message,
  inputSchema: z.object({ message: z.string().min(1) }),
  handler: ({ message }) => ({ content: [{ type: 'text', text: message }] }),
});

const transport = new StreamableHttpTransport({
  sessionAdapter: new InMemorySessionAdapter({ maxEventBufferSize: 1024 }),
});
const handle = transport.bind(mcp);
const app = new Hono();
app.use(async (context, next) => {
  if (userOf(context.req.header('authorization')) === undefined) return context.body(null, 401);
  return next();
});
app.all('/mcp', (context) => handle(context.req.raw));
serve({ fetch: app.fetch, port: PORT, hostname: '127.0.0.1' });

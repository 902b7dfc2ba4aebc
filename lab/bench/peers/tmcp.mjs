/** Peer: `tmcp` with its HTTP and SSE transports, on the fetch adapter of `@hono/node-server`. */
import { createServer } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { ZodJsonSchemaAdapter } from '@tmcp/adapter-zod';
import { HttpTransport } from '@tmcp/transport-http';
import { SseTransport } from '@tmcp/transport-sse';
import { McpServer } from 'tmcp';
import { tool } from 'tmcp/utils';
import { z } from 'zod';
import { DESCRIPTIONS, greet, PORT, userOf } from './shared.mjs';

const server = new McpServer(
  { name: 'tmcp', version: '1', description: 'A peer.' },
  { adapter: new ZodJsonSchemaAdapter(), capabilities: { tools: {} } },
);
server.tool(
  {
    name: 'get_greeting',
    description: DESCRIPTIONS.get_greeting,
    schema: z.object({ name: z.string().min(1).max(200).optional() }),
  },
  (input) => tool.text(greet(input)),
);
server.tool(
  {
    name: 'echo_message',
    description: DESCRIPTIONS.echo_message,
    schema: z.object({ message: z.string().min(1) }),
  },
  ({ message }) => tool.text(message),
);

const http = new HttpTransport(server, { path: '/mcp' });
const sse = new SseTransport(server, { path: '/sse', endpoint: '/messages' });
const listener = getRequestListener(async (request) => {
  const user = userOf(request.headers.get('authorization'));
  if (user === undefined) return new Response(null, { status: 401 });
  const transport = request.url.endsWith('/mcp') ? http : sse;
  return (await transport.respond(request, user)) ?? new Response(null, { status: 404 });
});
createServer(listener).listen(PORT, '127.0.0.1');

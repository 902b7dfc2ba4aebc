/** Peer: `fastmcp`, which serves both session transports by itself. */
import { FastMCP } from 'fastmcp';
import { z } from 'zod';
import { DESCRIPTIONS, greet, PORT, userOf } from './shared.mjs';

const server = new FastMCP({
  name: 'fastmcp',
  version: '1.0.0',
  authenticate: async (req) => {
    const user = userOf(req.headers.authorization);
    // oxlint-disable-next-line typescript/only-throw-error -- this is how fastmcp wants to be told
    if (user === undefined) throw new Response(null, { status: 401 });
    return user;
  },
  ping: { enabled: false },
  logger: { debug() {}, error() {}, info() {}, log() {}, warn() {} },
});
server.addTool({
  name: 'get_greeting',
  description: DESCRIPTIONS.get_greeting,
  parameters: z.object({ name: z.string().min(1).max(200).optional() }),
  execute: async (input) => greet(input),
});
server.addTool({
  name: 'echo_message',
  description: DESCRIPTIONS.echo_message,
  parameters: z.object({ message: z.string().min(1) }),
  execute: async ({ message }) => message,
});
await server.start({
  transportType: 'httpStream',
  httpStream: { host: '127.0.0.1', port: PORT, enableJsonResponse: true },
});

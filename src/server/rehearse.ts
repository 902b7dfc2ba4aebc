/** Runs a start and the first requests of a client, so that V8 has compiled what a start runs, and not only what it imports. */
import { openTokens } from '../auth/tokens/open-tokens.ts';
import { parseConfig } from '../config/config.ts';
import { createLog } from '../log.ts';
import type { Tool } from '../mcp/tool.ts';
import { startServer } from './start-server.ts';

/** The token of the rehearsal, which nobody else can reach. */
const TOKEN = 'for-the-rehearsal-alone-and-nobody-else';

const SETTINGS = { HOST: '127.0.0.1', PORT: '0', AUTH_TOKENS: TOKEN, LOG_LEVEL: 'silent' };

/** Starts a server with these tools on a free loopback port, sends it requests, and closes it. Services are not opened: they reach outside. */
export async function rehearseStart(tools: readonly Tool[]): Promise<void> {
  const config = parseConfig(SETTINGS);
  const log = createLog(config.logLevel);
  const { verifier } = await openTokens({ source: config.auth.tokens, allowOneRunToken: false, log });
  const server = await startServer({ config, verifier, definition: { tools }, log });
  for (const load of server.loads) await load();
  await ask(server.url, '/health');
  await ask(server.url, '/tools');
  const clientInfo = { name: 'rehearsal', version: '1' };
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo };
  await ask(server.url, '/mcp', { jsonrpc: '2.0', id: 1, method: 'initialize', params });
  await ask(server.url, '/mcp', { jsonrpc: '2.0', id: 2, method: 'tools/list' });
  await server.close();
}

/** Sends a request, and reads the answer, whatever it is. */
async function ask(url: string, path: string, message?: object): Promise<void> {
  const headers = {
    Authorization: `Bearer ${TOKEN}`,
    Connection: 'close',
    Accept: 'application/json, text/event-stream',
    ...(message && { 'Content-Type': 'application/json' }),
  };
  const body = message && { method: 'POST', body: JSON.stringify(message) };
  const answer = await fetch(`${url}${path}`, { headers, ...body });
  await answer.text();
}

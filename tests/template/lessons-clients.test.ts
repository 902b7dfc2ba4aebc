/** What docs/06_LESSONS_LEARNED.md says of clients and no other test shows: mcp-remote that tries HTTP+SSE first on `/mcp`. */
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterEach, expect } from '@jest/globals';
import { testInCi } from '../support/in-ci.ts';
import { createSandbox, ROOT } from '../support/process.ts';
import { startServer, TOKEN, WITH_TOKENS } from '../support/server-process.ts';
import { connectStdio, type StdioClient } from '../support/stdio-clients.ts';

const sandbox = createSandbox();
afterEach(async () => sandbox.close());

/** A proxy that answers a GET without a session itself, with this status, and hands everything else on. */
async function startProxy(serverUrl: string, status: number): Promise<string> {
  const proxy = createServer((req, res) => {
    if (req.method === 'GET' && req.headers['mcp-session-id'] === undefined) {
      res.writeHead(status).end();
      return;
    }
    const headers = { ...req.headers, host: new URL(serverUrl).host };
    const onward = request(new URL(req.url ?? '/', serverUrl), { method: req.method, headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
    });
    onward.on('error', () => res.destroy());
    res.on('close', () => onward.destroy());
    req.pipe(onward);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  sandbox.defer(async () => {
    proxy.closeAllConnections();
    proxy.close();
  });
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}

/** Connects through mcp-remote, which is to try HTTP+SSE before Streamable HTTP. */
async function connectSseFirst(origin: string): Promise<StdioClient> {
  const cwd = await sandbox.folder();
  const header = ['--header', `Authorization:Bearer ${TOKEN.ada}`];
  const proxy = path.join(ROOT, 'node_modules/mcp-remote/dist/proxy.js');
  return connectStdio(sandbox, 'v1', {
    args: [proxy, `${origin}/mcp`, ...header, '--transport', 'sse-first'],
    cwd,
    env: { MCP_REMOTE_CONFIG_DIR: cwd },
  });
}

testInCi(
  'mcp-remote that tries HTTP+SSE first goes on to Streamable HTTP after the 405 of GET /mcp',
  async () => {
    const server = await startServer(sandbox, WITH_TOKENS);

    const client = await connectSseFirst(server.url);
    const me = await client.call('whoami');

    expect(JSON.parse(me.text)).toMatchObject({ userId: 'ada', transport: 'streamable-http' });
    expect(client.stderr()).toContain('Non-200 status code (405)');
  },
);

testInCi(
  'mcp-remote that tries HTTP+SSE first gives up after a 400, and goes on after a 405, of the same proxy',
  async () => {
    const server = await startServer(sandbox, WITH_TOKENS);

    const client = await connectSseFirst(await startProxy(server.url, 405));
    const names = await client.listTools();
    const refused = connectSseFirst(await startProxy(server.url, 400));

    expect(names).toContain('whoami');
    await expect(refused).rejects.toThrow('Connection closed');
  },
);

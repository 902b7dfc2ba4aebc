/** A balancer that sends each request to the next process. If that refuses the connection, so that nothing was sent, it tries another one. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

/** A running balancer. */
export interface Balancer {
  readonly url: string;
  close(): void;
}

/** Starts a balancer; `upstreams` returns the present addresses of the processes. */
export async function startBalancer(upstreams: () => readonly URL[]): Promise<Balancer> {
  let turn = 0;
  /** Sends a request to the next process; resolves to whether that has accepted the connection. */
  const tryNext = (req: IncomingMessage, res: ServerResponse, body: Buffer): Promise<boolean> => {
    const all = upstreams();
    const base = all[(turn += 1) % all.length];
    return new Promise((resolve) => {
      const { method, url = '/', headers } = req;
      const onward = request(new URL(url, base), { method, headers, agent: false }, (answer) => {
        res.writeHead(answer.statusCode ?? 502, answer.headers);
        res.flushHeaders();
        answer.on('error', () => res.destroy());
        answer.pipe(res);
        resolve(true);
      });
      onward.on('error', (error) => {
        const isRefused = 'code' in error && error.code === 'ECONNREFUSED';
        // A request that was sent may have been carried out, so it is not sent again.
        if (!isRefused) res.destroy();
        resolve(!isRefused);
      });
      res.on('close', () => onward.destroy());
      onward.end(body);
    });
  };
  /** Sends a request to one process after the other until one accepts it. */
  const passOn = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const body = await buffer(req);
    // A request whose client has gone is not sent: nobody would end it at the process.
    for (let tries = 0; tries < 20; tries += 1) if (res.closed || (await tryNext(req, res, body))) return;
    res.writeHead(502).end();
  };
  const server = createServer((req, res) => void passOn(req, res).catch(() => res.destroy()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('The balancer does not listen.');
  return {
    url: `http://127.0.0.1:${address.port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

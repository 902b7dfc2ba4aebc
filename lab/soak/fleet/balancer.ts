/** A balancer that sends each request to the next process, and to another one when that refuses the connection: nothing has been sent then. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

/** A balancer that listens. */
export interface Balancer {
  readonly url: string;
  close(): void;
}

/** Starts one; `upstreams` says at any time where the processes are. */
export async function startBalancer(upstreams: () => readonly URL[]): Promise<Balancer> {
  let turn = 0;
  /** Sends a request to the next one; whether it has been taken. */
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
        // What has been sent may have been done: it is not sent again.
        if (!isRefused) res.destroy();
        resolve(!isRefused);
      });
      res.on('close', () => onward.destroy());
      onward.end(body);
    });
  };
  /** Sends a request to one process after the other until one takes it. */
  const passOn = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const body = await buffer(req);
    // Whose client has gone goes nowhere: nobody would end it there.
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

/** A balancer that sends each request to the next server in turn, whichever session it belongs to: the strictest test of what servers share. */
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A running balancer. */
export interface RoundRobin {
  readonly url: string;
  /** How many requests each server has received. */
  readonly counts: readonly number[];
  close(): void;
}

/** Starts a balancer on a free port. */
export async function startRoundRobin(upstreams: readonly string[]): Promise<RoundRobin> {
  const counts = upstreams.map(() => 0);
  let next = 0;
  const server = createServer((req, res) => {
    const index = next;
    next = (next + 1) % upstreams.length;
    counts[index] = (counts[index] ?? 0) + 1;
    const { method, url, headers } = req;
    // One connection for each request: the server may close a kept one in the very moment in which it is used again.
    const onward = request(
      new URL(url ?? '/', upstreams[index]),
      { method, headers, agent: false },
      (answer) => {
        res.writeHead(answer.statusCode ?? 502, answer.headers);
        res.flushHeaders();
        answer.pipe(res);
      },
    );
    onward.on('error', () => res.destroy());
    res.on('close', () => onward.destroy());
    req.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    counts,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

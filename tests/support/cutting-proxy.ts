/** A TCP proxy that breaks connections on demand, as networks do: without a last chunk or an orderly end. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A proxy in front of a server. */
export interface CuttingProxy {
  readonly url: string;
  /** Breaks every connection on which the server has ever sent this text; returns how many. */
  cutWhereSent(text: string): number;
  close(): Promise<void>;
}

/** One connection through the proxy. */
interface Line {
  readonly ends: readonly Socket[];
  /** Everything that the server has sent on it. */
  sent: string;
}

/** Starts a proxy. */
export async function startCuttingProxy(target: string): Promise<CuttingProxy> {
  const { hostname, port } = new URL(target);
  const lines = new Set<Line>();
  const server = createServer((client) => {
    const upstream = connect({ host: hostname, port: Number(port) });
    const line: Line = { ends: [client, upstream], sent: '' };
    lines.add(line);
    for (const end of line.ends) {
      end.on('error', () => undefined);
      end.on('close', () => {
        lines.delete(line);
        for (const other of line.ends) other.destroy();
      });
    }
    upstream.on('data', (chunk: Buffer) => (line.sent += chunk.toString('latin1')));
    client.pipe(upstream);
    upstream.pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cutWhereSent(text) {
      const cut = [...lines].filter(({ sent }) => sent.includes(text));
      for (const { ends } of cut) for (const end of ends) end.destroy();
      return cut.length;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const { ends } of lines) for (const end of ends) end.destroy();
      await closed;
    },
  };
}

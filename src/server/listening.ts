/** Where a server listens. */
import type { Server } from 'node:http';
import type { Config } from '../config/config.ts';

/** Listens. Resolves when the server listens, and rejects with the system's error when it cannot. */
export async function listen(server: Server, { host, port }: Pick<Config, 'host' | 'port'>): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

/** The address that a server listens on, as a URL. */
export function urlOf(server: Server, host: string): string {
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return `http://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`;
}

/** The URL to put into a client on this machine: `localhost` for an address that stands for all of the machine's (`0.0.0.0`, `[::]`). */
export function usableUrlOf(url: string): string {
  return url.replace(/^http:\/\/(0\.0\.0\.0|\[[0:]+\])(?=:)/, 'http://localhost');
}

/** Finds free ports on the loopback interface, and listens on them. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/** Lets a server listen on a free loopback port; returns the port. */
export async function listenOnLoopback(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null)
    throw new Error('The server is not listening on a port.');
  return address.port;
}

/** Finds a port on which nothing listens, for a process that must be told its port. */
export async function findFreePort(): Promise<number> {
  const probe = createServer();
  const port = await listenOnLoopback(probe);
  probe.close();
  await once(probe, 'close');
  return port;
}

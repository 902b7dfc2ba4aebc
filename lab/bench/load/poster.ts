/** The connections for the messages of a session: one, or one to each of several processes, which take turns. */
import { type HttpAnswer, HttpConnection } from './http-connection.ts';

/** Sends one request at a time. */
export interface Poster {
  request(bytes: string): Promise<HttpAnswer>;
  close(): void;
}

/** Connects to the ports. Requests go to each in turn, as with a balancer. */
export async function openPoster(ports: readonly number[]): Promise<Poster> {
  const connections = await Promise.all(ports.map(async (port) => HttpConnection.open(port)));
  const [only] = connections;
  if (only === undefined) throw new Error('There is nowhere to send messages.');
  if (connections.length === 1) return only;
  let turn = 0;
  return {
    async request(bytes) {
      turn += 1;
      return (connections[turn % connections.length] ?? only).request(bytes);
    },
    close: () => connections.forEach((connection) => connection.close()),
  };
}

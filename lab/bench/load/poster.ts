/** What a session's messages go out on: a connection, or one to each of several processes that take turns. */
import { type HttpAnswer, HttpConnection } from './http-connection.ts';

/** Sends one request at a time. */
export interface Poster {
  request(bytes: string): Promise<HttpAnswer>;
  close(): void;
}

/** Connects to the ports; requests go to each in turn, as a balancer sends them. */
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

/** A reverse proxy that adds the credential the conformance suite cannot send, and changes nothing else. */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { request as requestOverTls } from 'node:https';
import { listenOnLoopback } from './loopback.ts';

/** A running proxy. */
export interface HeaderProxy {
  readonly url: string;
  /** From here on, every request gets this token; before, each goes through as it comes. */
  add(token: string): void;
  close(): Promise<void>;
}

/** Headers that belong to one connection and not to the message (RFC 9110, section 7.6.1). */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/** How requests go on. */
export interface HeaderProxyOptions {
  /** What every request gets; without it, each goes through as it comes until one is added. */
  readonly token?: string;
  /** Whether the target is asked by its own name, behind its own path, as a server on the internet must be. */
  readonly byItsName?: boolean;
}

/**
 * Starts a proxy on a free loopback port. Origin goes through as the client sent it, and so does Host unless the target is asked by its
 * name: the server judges them.
 */
export async function startHeaderProxy(
  target: URL,
  { token, byItsName = false }: HeaderProxyOptions = {},
): Promise<HeaderProxy> {
  let added = token;
  const server = createServer((incoming, answer) =>
    forward({ incoming, answer, target, token: added, byItsName }),
  );
  // Event streams stay silent for long, and the suite decides how long it waits.
  server.requestTimeout = 0;
  const port = await listenOnLoopback(server);
  return {
    url: `http://127.0.0.1:${port}`,
    add: (next) => void (added = next),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** One request on its way through. */
interface Exchange {
  readonly incoming: IncomingMessage;
  readonly answer: ServerResponse;
  readonly target: URL;
  readonly token: string | undefined;
  readonly byItsName: boolean;
}

/** Sends a request on with the credential and streams the response back; whoever leaves first takes the other along. */
function forward({ incoming, answer, target, token, byItsName }: Exchange): void {
  const ask = target.protocol === 'https:' ? requestOverTls : request;
  const headers = withCredential(incoming, token);
  const outgoing = ask({
    // One connection for each request: a kept one may be closed by the server just as it is used again.
    agent: false,
    host: target.hostname,
    port: target.port,
    method: incoming.method,
    path: byItsName ? `${target.pathname.replace(/\/$/, '')}${incoming.url}` : incoming.url,
    headers: byItsName ? withHost(headers, target.host) : headers,
    setHost: false,
  });
  outgoing.on('response', (response) => {
    answer.writeHead(response.statusCode ?? 502, endToEnd(response.rawHeaders).flat());
    // An event stream's header must arrive before its first event.
    answer.flushHeaders();
    response.on('error', () => answer.destroy());
    response.pipe(answer);
  });
  outgoing.on('error', () => answer.destroy());
  answer.on('close', () => outgoing.destroy());
  incoming.pipe(outgoing);
}

/** The request's headers with the credential in place of any the client sent. */
function withCredential(incoming: IncomingMessage, token: string | undefined): string[] {
  const headers = endToEnd(incoming.rawHeaders).filter(
    ([name]) => token === undefined || name.toLowerCase() !== 'authorization',
  );
  // Without a length, Node frames the body anew; without a body there must be no frame.
  const hasFramedBody = incoming.headers['transfer-encoding'] !== undefined;
  return [
    ...headers,
    ...(token === undefined ? [] : [['Authorization', `Bearer ${token}`]]),
    ...(hasFramedBody ? [['Transfer-Encoding', 'chunked']] : []),
  ].flat();
}

/** Headers, name after value, with another Host. */
function withHost(headers: readonly string[], host: string): string[] {
  return headers.map((value, index) =>
    headers[index - 1]?.toLowerCase() === 'host' && index % 2 === 1 ? host : value,
  );
}

/** Name and value of every header that concerns the message itself, in their order and as often as they came. */
function endToEnd(rawHeaders: readonly string[]): [string, string][] {
  const headers: [string, string][] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const [name = '', value = ''] = rawHeaders.slice(index, index + 2);
    if (!HOP_BY_HOP.has(name.toLowerCase())) headers.push([name, value]);
  }
  return headers;
}

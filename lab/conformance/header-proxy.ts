/** A reverse proxy that adds the credential the conformance suite cannot send, and changes nothing else. */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { request as requestOverTls } from 'node:https';
import { listenOnLoopback } from './loopback.ts';

/** A running proxy. */
export interface HeaderProxy {
  readonly url: string;
  /** Adds this token to all further requests; before, requests pass unchanged. */
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

/** How requests are forwarded. */
export interface HeaderProxyOptions {
  /** The token that is added to every request; without it, requests pass unchanged until `add` is called. */
  readonly token?: string;
  /** Whether to use the target's own host name and path, as a server on the internet requires. */
  readonly byItsName?: boolean;
}

/**
 * Starts a proxy on a free loopback port. Origin is forwarded as the client sent it, and so is Host, unless the target's own name is used:
 * the server checks both.
 */
export async function startHeaderProxy(
  target: URL,
  { token, byItsName = false }: HeaderProxyOptions = {},
): Promise<HeaderProxy> {
  let added = token;
  const server = createServer((incoming, answer) =>
    forward({ incoming, answer, target, token: added, byItsName }),
  );
  // No timeout here: event streams stay silent for long, and the suite decides how long it waits.
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

/** One request to forward. */
interface Exchange {
  readonly incoming: IncomingMessage;
  readonly answer: ServerResponse;
  readonly target: URL;
  readonly token: string | undefined;
  readonly byItsName: boolean;
}

/** Forwards a request with the credential, and streams the response back. When either side closes, the other is closed, too. */
function forward({ incoming, answer, target, token, byItsName }: Exchange): void {
  const ask = target.protocol === 'https:' ? requestOverTls : request;
  const headers = withCredential(incoming, token);
  const outgoing = ask({
    // One connection for each request: the server may close a kept one just as it is used again.
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
    // The head of an event stream must arrive before its first event.
    answer.flushHeaders();
    response.on('error', () => answer.destroy());
    response.pipe(answer);
  });
  outgoing.on('error', () => answer.destroy());
  answer.on('close', () => outgoing.destroy());
  incoming.pipe(outgoing);
}

/** The request's headers, with the credential instead of any that the client sent. */
function withCredential(incoming: IncomingMessage, token: string | undefined): string[] {
  const headers = endToEnd(incoming.rawHeaders).filter(
    ([name]) => token === undefined || name.toLowerCase() !== 'authorization',
  );
  // Without a length, Node frames the body anew. Without a body, there must be no framing.
  const hasFramedBody = incoming.headers['transfer-encoding'] !== undefined;
  return [
    ...headers,
    ...(token === undefined ? [] : [['Authorization', `Bearer ${token}`]]),
    ...(hasFramedBody ? [['Transfer-Encoding', 'chunked']] : []),
  ].flat();
}

/** Replaces Host in a flat list of names and values. */
function withHost(headers: readonly string[], host: string): string[] {
  return headers.map((value, index) =>
    headers[index - 1]?.toLowerCase() === 'host' && index % 2 === 1 ? host : value,
  );
}

/** The name and the value of every end-to-end header, in their order and with repetitions. */
function endToEnd(rawHeaders: readonly string[]): [string, string][] {
  const headers: [string, string][] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const [name = '', value = ''] = rawHeaders.slice(index, index + 2);
    if (!HOP_BY_HOP.has(name.toLowerCase())) headers.push([name, value]);
  }
  return headers;
}

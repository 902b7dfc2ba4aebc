/** Servers that are broken in one way, for tools that must find and name the fault: most are a proxy in front of a healthy server. */
import {
  createServer,
  type IncomingMessage,
  request,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { listenOnLoopback } from '../../lab/conformance/loopback.ts';
import { createSelfSignedCertificate } from './self-signed.ts';

/** A server with a fault, until it is closed. */
export interface RunningFault {
  readonly url: string;
  close(): Promise<void>;
}

/** What a proxy does wrong. */
export interface Fault {
  /** Changes the headers of a request on its way in. */
  readonly changeRequest?: (incoming: IncomingMessage) => void;
  /** Answers the client itself, instead of forwarding the answer as it is. */
  readonly answer?: (exchange: Exchange) => void;
}

/** An answer on its way through the proxy. */
export interface Exchange {
  readonly incoming: IncomingMessage;
  readonly upstream: IncomingMessage;
  readonly res: ServerResponse;
  /** Forwards head and body, as a healthy proxy does. */
  forward(): void;
  forwardHead(): void;
}

/** Starts a proxy with a fault in front of a server. */
export async function startFaultyProxy(target: string, fault: Fault): Promise<RunningFault> {
  return startFault((incoming, res) => {
    fault.changeRequest?.(incoming);
    const { method, url: path, headers } = incoming;
    const outgoing = request(new URL(path ?? '/', target), { agent: false, method, headers }, (upstream) => {
      const forwardHead = (): void => {
        res.writeHead(upstream.statusCode ?? 500, upstream.headers);
        res.flushHeaders();
      };
      const forward = (): void => {
        forwardHead();
        upstream.pipe(res);
      };
      upstream.on('error', () => res.destroy());
      if (fault.answer === undefined) forward();
      else fault.answer({ incoming, upstream, res, forward, forwardHead });
    });
    outgoing.on('error', () => res.destroy());
    res.on('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  });
}

/** Starts a server that gives every request the same answer. */
export async function startFixedAnswer(
  status: number,
  contentType: string,
  body: string,
  location = 'https://elsewhere.example/?code=secret',
): Promise<RunningFault> {
  return startFault((_incoming, res) => {
    res.writeHead(status, { 'Content-Type': contentType, Location: location }).end(body);
  });
}

/** Starts a server with a self-signed certificate. */
export async function startSelfSigned(): Promise<RunningFault> {
  const server = createTlsServer(createSelfSignedCertificate(), (_incoming, res) => res.end('{}'));
  return listen(server, 'https');
}

/** Starts an HTTP server on a free port. */
async function startFault(listener: RequestListener): Promise<RunningFault> {
  return listen(createServer(listener), 'http');
}

/** Listens on a free port; `close` also cuts open connections. */
async function listen(server: Server, scheme: string): Promise<RunningFault> {
  const port = await listenOnLoopback(server);
  return {
    url: `${scheme}://127.0.0.1:${port}`,
    close: async () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

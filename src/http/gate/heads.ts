/** What Node would decide by the head of a request in front of the gate, and is left to the gate: which headers count, who is to send a body, and how long that may take. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';

/** Time-outs for the open internet: Node's own (60 s for headers, 300 s for a request) let slow senders hold connections. */
export const SERVER_OPTIONS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 5_000,
  keepAlive: true,
  // guardRequest says the same in words.
  requireHostHeader: false,
} as const;

/** Has a server's heads reach the gate whole, with what their clients expect before they send a body (RFC 9110, section 10.1.1). */
export function leaveHeadsToGate(server: Server): void {
  // All headers, up to the size of a head: Node would leave out those behind the 2,000th, where a proxy may look.
  server.maxHeadersCount = 0;
  server.on('checkContinue', (req, res) => {
    continueWhenRead(req, res);
    server.emit('request', req, res);
  });
  // Nobody has to meet any other. Node would refuse it with a bare status, in front of the gate.
  server.on('checkExpectation', (req, res) => server.emit('request', req, res));
}

/** Asks for the body as soon as something reads it: whoever is refused by the head alone need not send it. */
function continueWhenRead(req: IncomingMessage, res: ServerResponse): void {
  const { shouldKeepAlive } = res;
  // The client may leave the body out after a refusal, or send it all the same: what follows on this connection is unclear.
  res.shouldKeepAlive = false;
  const onListener = (event: string | symbol): void => {
    if (event !== 'data' && event !== 'readable') return;
    req.off('newListener', onListener);
    res.shouldKeepAlive = shouldKeepAlive;
    if (!res.headersSent) res.writeContinue();
  };
  req.on('newListener', onListener);
}

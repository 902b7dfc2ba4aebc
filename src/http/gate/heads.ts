/** Leaves to the gate what Node would decide by the head of a request: which headers are read, and whether a body is to be sent. Sets time-outs. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';

/** Time-outs for the open internet: Node's own (60 s for headers, 300 s for a request) let slow senders hold connections. */
export const SERVER_OPTIONS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 5_000,
  keepAlive: true,
  // guardRequest refuses such a request with an explanation.
  requireHostHeader: false,
} as const;

/** Makes a server hand whole heads to the gate, and requests whose clients expect something before they send a body (RFC 9110, section 10.1.1). */
export function leaveHeadsToGate(server: Server): void {
  // Only the size of a head is limited: Node would leave out headers after the 2,000th, which a proxy may read.
  server.maxHeadersCount = 0;
  server.on('checkContinue', (req, res) => {
    continueWhenRead(req, res);
    server.emit('request', req, res);
  });
  // A server may ignore any other expectation. Node would refuse it with a bare status, in front of the gate.
  server.on('checkExpectation', (req, res) => server.emit('request', req, res));
}

/** Sends `100 Continue` as soon as something reads the body: a client that is refused by the head alone need not send it. */
function continueWhenRead(req: IncomingMessage, res: ServerResponse): void {
  const { shouldKeepAlive } = res;
  // After a refusal the client may send the body or not: what follows on this connection would be unclear, so it is closed.
  res.shouldKeepAlive = false;
  const onListener = (event: string | symbol): void => {
    if (event !== 'data' && event !== 'readable') return;
    req.off('newListener', onListener);
    res.shouldKeepAlive = shouldKeepAlive;
    if (!res.headersSent) res.writeContinue();
  };
  req.on('newListener', onListener);
}

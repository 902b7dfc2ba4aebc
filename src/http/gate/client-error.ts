/** Answers what is no HTTP request, in words. Node would write a bare status and close at once, which resets a client that still sends. */
import { type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { ERROR_HEADERS, LINGER_MS } from '../errors.ts';
import { SECURITY_HEADER_LIST } from '../security-headers.ts';
import { responseOf } from './response-of.ts';

/** What is told for a fault that is not the usual one, by Node's code for it; statuses as Node's own. */
const FAULTS: Readonly<Record<string, readonly [status: number, words: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'The headers are too large. Send fewer of them.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'The chunk extensions are too large. Leave them out.'],
  HPE_INVALID_TRANSFER_ENCODING: [400, 'Send the body with Content-Length, or plainly chunked.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request took too long to arrive. Send it again.'],
};

const USUAL_FAULT = [400, 'This is no HTTP/1.1 request. Ask for a path, such as GET /health.'] as const;

/** Answers what a server's connections bring that cannot be parsed. */
export function answerClientErrors(server: Server): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const end = (): void => {
      // What has been answered, if only in part, still goes out.
      if (!socket.writable || isAnswering(socket)) socket.destroySoon();
      else socket.end(spell(FAULTS[error.code ?? ''] ?? USUAL_FAULT));
      setTimeout(() => socket.destroy(), LINGER_MS).unref();
    };
    // The client would take this for the answer to a request that it sent before.
    const endWhenAnswered = (): void => {
      const response = findUnanswered(socket);
      if (response === undefined) end();
      else response.once('close', endWhenAnswered);
    };
    endWhenAnswered();
    // Read and thrown away until the client has seen the answer, or for a moment.
    socket.resume();
  });
}

/** Whether a response is under way, in which an answer would be taken for a part of it. */
function isAnswering(socket: Socket): boolean {
  return responseOf(socket)?.headersSent === true;
}

/** The response to a request that has come whole and is being worked on. */
function findUnanswered(socket: Socket): ServerResponse | undefined {
  const response = responseOf(socket);
  return response?.headersSent === false && response.req.complete ? response : undefined;
}

/** A whole response. */
function spell([status, words]: readonly [status: number, words: string]): string {
  const body = JSON.stringify({ error: 'bad_request', error_description: words });
  const own = ['Connection', 'close', 'Cache-Control', 'no-store', 'Content-Length', String(body.length)];
  const headers = [...SECURITY_HEADER_LIST, ...own, ...ERROR_HEADERS];
  const lines = headers.map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\r\n`));
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`;
}

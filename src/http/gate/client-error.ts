/** Answers input that is not HTTP with an explanation. Node would send a bare status and close at once, which resets a client that still sends. */
import { type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { JSON_HEADERS_WITH_CHARSET } from '../direct-answer.ts';
import { LINGER_MS } from '../errors.ts';
import { SECURITY_HEADER_LIST } from '../security-headers.ts';
import { responseOf } from './response-of.ts';

/** The answers to all but the usual fault, by Node's error code. The statuses are those that Node itself would send. */
const FAULTS: Readonly<Record<string, readonly [status: number, words: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'The headers are too large. Send fewer of them.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'The chunk extensions are too large. Leave them out.'],
  HPE_INVALID_TRANSFER_ENCODING: [400, 'Send the body with Content-Length, or plainly chunked.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request took too long to arrive. Send it again.'],
};

const USUAL_FAULT = [400, 'This is no HTTP/1.1 request. Ask for a path, such as GET /health.'] as const;

/** Answers input on the connections of a server that cannot be parsed as HTTP. */
export function answerClientErrors(server: Server): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const end = (): void => {
      // An answer that has been written, even in part, is still sent.
      if (!socket.writable || isAnswering(socket)) socket.destroySoon();
      else socket.end(spell(FAULTS[error.code ?? ''] ?? USUAL_FAULT));
      setTimeout(() => socket.destroy(), LINGER_MS).unref();
    };
    // Requests that came before are answered first: the client would take this for the answer to one of them.
    const endWhenAnswered = (): void => {
      const response = findUnanswered(socket);
      if (response === undefined) end();
      else response.once('close', endWhenAnswered);
    };
    endWhenAnswered();
    // What still arrives is read and thrown away, for a moment, so that the client can see the answer.
    socket.resume();
  });
}

/** Whether a response has begun: the client would take another answer for a part of it. */
function isAnswering(socket: Socket): boolean {
  return responseOf(socket)?.headersSent === true;
}

/** The response to a request that has arrived whole and is not answered yet. */
function findUnanswered(socket: Socket): ServerResponse | undefined {
  const response = responseOf(socket);
  return response?.headersSent === false && response.req.complete ? response : undefined;
}

/** Serializes a whole response. */
function spell([status, words]: readonly [status: number, words: string]): string {
  const body = JSON.stringify({ error: 'bad_request', error_description: words });
  const own = ['Connection', 'close', 'Cache-Control', 'no-store', 'Content-Length', String(body.length)];
  const headers = [...SECURITY_HEADER_LIST, ...own, ...JSON_HEADERS_WITH_CHARSET];
  const lines = headers.map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\r\n`));
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`;
}

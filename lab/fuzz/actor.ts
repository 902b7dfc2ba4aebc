/** Sends the bytes of a case, waits for the answers that HTTP requires, and checks every answer against the invariants. */
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createHttpReader, type HttpReader, type Response } from './http-reader.ts';
import type { MadeUpIssuer } from '../made-up-issuer.ts';
import { type Asked, problemOf, type Secrets, type Who } from './oracle.ts';

/** One request on a connection. */
export interface Request {
  readonly who: Who;
  readonly isHead?: boolean;
  /** Whether its answer may be a stream that stays open. */
  readonly stays?: boolean;
  readonly ids?: ReadonlySet<unknown>;
  readonly mustRefuse?: boolean;
}

/** The bytes to send on one connection, and the answers that are due for them. */
export interface Exchange {
  readonly requests: readonly [Request, ...Request[]];
  /** Written one after the other, with a short pause between them. */
  readonly pieces: readonly Buffer[];
  /**
   * `answers`: one for each request. `answer-or-close`: the HTTP itself is invalid, so closing is enough. `anything`: the request
   * is incomplete, and the client leaves after a moment.
   */
  readonly due: 'answers' | 'answer-or-close' | 'anything';
  readonly ending?: 'close' | 'reset' | 'half-close';
}

/** An invariant that does not hold: the case has failed. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/** The server to which cases are sent. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly secrets: Secrets;
  readonly deadlineMs: number;
  /** The identity provider whose tokens the server accepts, if any. */
  readonly issuer?: MadeUpIssuer;
  /** Tokens from the file for users with the same ids as those of the provider. */
  readonly namesakes?: Readonly<Record<Exclude<Who, 'nobody'>, string>>;
}

/** Sends the requests of one case. */
export interface Actor {
  readonly caseNumber: number;
  readonly target: Target;
  /** Everything sent, in order. */
  readonly sent: readonly Buffer[];
  /** The ids of sessions that answers of this case have assigned; they may still be open. */
  leftSessions(): readonly string[];
  /** Sends, waits and checks. @throws {Violation} when an invariant does not hold */
  exchange(exchange: Exchange): Promise<readonly Response[]>;
  /** Opens a connection that stays open until `close`. */
  open(request: Request, bytes: Buffer): Promise<OpenConnection>;
  close(): void;
}

/** A connection whose answer is a stream. */
export interface OpenConnection {
  /** The stream so far. */
  response(): Response | undefined;
  /** Waits until the stream matches. @throws {Violation} when it does not within the deadline */
  until(fits: (response: Response) => boolean, what: string): Promise<Response>;
  close(): void;
}

/** Makes the actor of a case. */
export function createActor(target: Target, caseNumber: number): Actor {
  const sent: Buffer[] = [];
  const connections = new Set<OpenConnection>();
  const sessions = new Set<string>();
  const askedOf = ({ who, isHead = false, ids, mustRefuse = false }: Request): Asked => ({
    who, caseNumber, isHead, ids, mustRefuse,
  }); // prettier-ignore
  const check = (reader: HttpReader, requests: Exchange['requests']): void => {
    if (reader.problem !== undefined) throw new Violation(`broken HTTP: ${reader.problem}`);
    for (const [index, response] of reader.responses.entries()) {
      const problem = problemOf(response, askedOf(requests[index] ?? requests[0]), target.secrets);
      const id = response.headers.get('mcp-session-id')?.[0];
      if (id !== undefined && response.status < 300) sessions.add(id);
      if (problem !== undefined) throw new Violation(problem);
    }
  };

  return {
    caseNumber,
    target,
    sent,
    leftSessions: () => [...sessions],
    async exchange({ requests, pieces, due, ending = 'close' }) {
      const reader = createHttpReader((index) => requests[index]?.isHead ?? false);
      const isAnswered = (): boolean => areAnswered(reader, requests);
      const line = await dial(target, reader);
      try {
        for (const [index, piece] of pieces.entries()) {
          if (index > 0) await delay(1);
          sent.push(piece);
          if (!line.isOver()) line.socket.write(piece);
        }
        if (ending === 'half-close') line.socket.end();
        const isDone = (): boolean => line.isOver() || isAnswered() || reader.problem !== undefined;
        await line.until(isDone, due === 'anything' ? 20 : target.deadlineMs);
        check(reader, requests);
        if (due === 'anything') return reader.responses;
        const words = `${reader.responses.length} answers to ${requests.length} requests`;
        if (!line.isOver() && !isAnswered())
          throw new Violation(`no answer within ${target.deadlineMs} ms (${words})`);
        if (due === 'answers' && !isAnswered()) {
          // A refusal may close the connection and so drop what was sent after it; an incomplete answer is a violation.
          const closes = reader.responses.at(-1)?.headers.get('connection')?.[0]?.toLowerCase() === 'close';
          if (!closes || reader.responses.at(-1)?.complete !== true)
            throw new Violation(`closed before the answer (${words})`);
        }
        return reader.responses;
      } finally {
        if (ending === 'reset') line.socket.resetAndDestroy();
        else line.socket.destroy();
      }
    },
    async open(request, bytes) {
      const requests = [request] as const;
      const reader = createHttpReader(() => false);
      const line = await dial(target, reader);
      sent.push(bytes);
      line.socket.write(bytes);
      const connection: OpenConnection = {
        response: () => reader.responses[0],
        async until(fits, what) {
          const found = (): boolean => reader.responses[0] !== undefined && fits(reader.responses[0]);
          await line.until(() => found() || line.isOver(), target.deadlineMs);
          check(reader, requests);
          const [response] = reader.responses;
          if (!found() || response === undefined)
            throw new Violation(`${what} did not come (status ${response?.status})`);
          return response;
        },
        close: () => line.socket.destroy(),
      };
      connections.add(connection);
      return connection;
    },
    close() {
      for (const connection of connections) connection.close();
    },
  };
}

/** Whether every request has its answer: a complete one, or the beginning of a stream that may stay open. */
function areAnswered({ responses }: HttpReader, requests: Exchange['requests']): boolean {
  return requests.every(({ stays = false }, index) => {
    const response = responses[index];
    return response !== undefined && (response.complete || (stays && response.isStream));
  });
}

/** A connection, and a way to wait for what happens on it. */
interface Line {
  readonly socket: Socket;
  isOver(): boolean;
  /** Resolves when the condition holds, which is checked whenever something happens, or when the time is up. */
  until(condition: () => boolean, timeoutMs: number): Promise<void>;
}

/** Connects; everything that arrives is passed to the reader. */
async function dial({ host, port }: Target, reader: HttpReader): Promise<Line> {
  const socket = connect({ host, port, noDelay: true });
  let over = false;
  let wake: (() => void) | undefined;
  const happened = (): void => wake?.();
  const finish = (): void => {
    if (!over) reader.end();
    over = true;
    happened();
  };
  socket.on('data', (bytes: Buffer) => {
    reader.push(bytes);
    happened();
  });
  socket.on('end', finish).on('error', finish).on('close', finish);
  const until: Line['until'] = async (condition, timeoutMs) => {
    if (condition()) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      wake = () => {
        if (!condition()) return;
        clearTimeout(timer);
        resolve();
      };
    });
    wake = undefined;
  };
  let connected = false;
  socket.once('connect', () => {
    connected = true;
    happened();
  });
  await until(() => connected || over, 5_000);
  if (!connected) throw new Violation('the server takes no connection');
  return { socket, isOver: () => over, until };
}

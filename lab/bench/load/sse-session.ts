/** A session of HTTP+SSE: answers come on a stream, and messages go out on another connection. */
import { EventEmitter, once } from 'node:events';
import {
  parseMessage,
  requireInitialized,
  requireStatus,
  type RpcAnswer,
  WrongAnswerError,
} from './answers.ts';
import { createEventReader } from './event-reader.ts';
import { HttpConnection } from './http-connection.ts';
import type { Poster } from './poster.ts';
import { createSpeller, INITIALIZED_MESSAGE, initializeMessage } from './requests.ts';

/** The options of a session. */
export interface SessionOptions {
  readonly port: number;
  /** Sends the POSTs; it stays open when the session ends. */
  readonly poster: Poster;
  readonly token: string;
  /** The `initialize` request. Default: the shortest that works. */
  readonly hello?: Hello | undefined;
}

/** The `initialize` request of a client, with the id 0. */
export interface Hello {
  readonly revision: string;
  readonly message: string;
}

/** An initialized session of either transport. */
export interface ClientSession {
  /** Sends a request; resolves with its answer. */
  request(id: number, message: string): Promise<RpcAnswer>;
  /** Ends the session in the transport's way. */
  end(): Promise<void>;
  /** Drops the session without ending it. */
  drop(): void;
}

/** The request whose answer is awaited on the stream. */
interface Awaited {
  readonly id: number;
  readonly resolve: (message: RpcAnswer) => void;
}

/** Opens a session, and completes the handshake. */
export async function openSseSession({ port, poster, token, hello }: SessionOptions): Promise<ClientSession> {
  const stream = await HttpConnection.open(port);
  let awaited: Awaited | undefined;
  const events = new EventEmitter<{ endpoint: [string] }>();
  const endpoint = once(events, 'endpoint');
  const read = createEventReader(({ event, data }) => {
    if (event === 'endpoint') {
      events.emit('endpoint', data);
      return;
    }
    const message = parseMessage(data);
    // Servers may send notifications and pings at any time.
    if (message.method !== undefined || message.id !== awaited?.id) return;
    awaited?.resolve(message);
    awaited = undefined;
  });
  const opened = await stream.openStream(spellOpening(token), read);
  requireStatus(opened, [200]);
  const spell = createSpeller({ method: 'POST', path: pathOf(String((await endpoint)[0])) });

  const post = async (message: string): Promise<void> => {
    requireStatus(await poster.request(spell(token, message)), [202, 200]);
  };
  const request = async (id: number, message: string): Promise<RpcAnswer> => {
    const answer = new Promise<RpcAnswer>((resolve) => {
      awaited = { id, resolve };
    });
    await post(message);
    return answer;
  };
  requireInitialized(await request(0, hello?.message ?? initializeMessage(SSE_REVISION)));
  await post(INITIALIZED_MESSAGE);
  return { request, end: async () => stream.close(), drop: () => stream.close() };
}

/** The revision that the transport belongs to. */
const SSE_REVISION = '2024-11-05';

const spellOpening = createSpeller({ method: 'GET', path: '/sse', headers: { Accept: 'text/event-stream' } });

/** The path and query of the address in the first event. */
function pathOf(address: string): string {
  const { pathname, search } = new URL(address, 'http://127.0.0.1');
  if (search === '') throw new WrongAnswerError(`an endpoint without a session: ${address}`);
  return pathname + search;
}

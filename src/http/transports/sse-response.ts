/** The response of `GET /sse` for the older SDK's transport, with the head and the session id of this server. */
import type { ServerResponse } from 'node:http';
import type { RequestContext } from '../context.ts';
import { writeHead } from '../direct-answer.ts';
import { EVENT_STREAM_HEADERS } from './event-stream.ts';

/**
 * The response as the SDK's transport uses it, except for the head, which is ours. The head is sent by itself, which flattens its text: a
 * head to which something is appended would stay in memory piece by piece, as long as the stream. So would the request's context, which is
 * dropped.
 */
export class ResponseWithOurHead {
  readonly #res: ServerResponse;
  #ctx: RequestContext | undefined;
  #names: readonly [string, string] = ['', ''];

  constructor(ctx: RequestContext) {
    this.#res = ctx.res;
    this.#ctx = ctx;
  }

  /** Writes our head with the transport's status. */
  writeHead(status: number): void {
    if (this.#ctx !== undefined) writeHead(this.#ctx, status, EVENT_STREAM_HEADERS);
    this.#res.flushHeaders();
    this.#ctx = undefined;
  }

  /** Replaces the session id that the transport has made, in what it writes from now on. */
  rename(transportsId: string, id: string): void {
    this.#names = [transportsId, id];
  }

  /** Writes a frame of the transport: it writes only the `endpoint` event, with the address for messages. */
  write(frame: string): void {
    this.#res.write(frame.replace(...this.#names));
  }

  /** Adds the transport's listener for the end of the response. */
  on(event: 'close', listener: () => void): void {
    this.#res.on(event, listener);
  }
}

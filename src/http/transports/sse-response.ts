/** The response of `GET /sse` as the older SDK's transport writes it, with this server's head and this server's name for the session. */
import type { ServerResponse } from 'node:http';
import type { RequestContext } from '../context.ts';
import { writeHead } from '../direct-answer.ts';
import { EVENT_STREAM_HEADERS } from './event-stream.ts';

/**
 * The response as the SDK's transport uses it, but for the head, which is ours. It is sent alone: what is sent is flattened, while a
 * head that something is appended to stays in memory piece by piece, as long as the stream. So would the request's context.
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

  /** Has the session be called otherwise than the transport calls it, which makes its ids itself. */
  rename(transportsId: string, id: string): void {
    this.#names = [transportsId, id];
  }

  /** Writes what the transport writes, which is the address of the session. */
  write(frame: string): void {
    this.#res.write(frame.replace(...this.#names));
  }

  /** Tells the transport of the end. */
  on(event: 'close', listener: () => void): void {
    this.#res.on(event, listener);
  }
}

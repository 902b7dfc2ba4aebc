/** A server-sent event stream on a Node response. */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Grant } from '../../auth/verifier.ts';
import type { Slot } from './agenda.ts';
import { LARGE_BYTES, measure } from '../direct-answer.ts';
import type { EventStreams } from './event-streams.ts';
import { NOTABLE_BYTES } from './unsent-budget.ts';

/** The headers of every stream. Proxies must not cache, compress or buffer it; `X-Accel-Buffering` is nginx's header for the latter. */
export const EVENT_STREAM_HEADERS = [
  'Content-Type',
  'text/event-stream',
  'Cache-Control',
  'no-cache, no-transform',
  'X-Accel-Buffering',
  'no',
] as const;

/** A stream with more unsent bytes than this is watched: when its client reads nothing for a while, it has stopped reading. Bytes. */
export const UNSENT_SOFT_LIMIT = 2 * 1024 * 1024;

/** One open stream. */
export class EventStream {
  readonly grant: Grant;
  readonly #res: ServerResponse;
  /** The open streams of the server, which this one belongs to. */
  readonly #keeper: EventStreams;
  /** When something was last written. Milliseconds of a monotonic clock. */
  lastWriteMs: number;
  /** Its slot in the agenda of heartbeats. */
  slot: Slot<EventStream> | undefined;

  /** The response's head must have been sent, or whoever writes first must send it. */
  constructor(res: ServerResponse, grant: Grant, keeper: EventStreams) {
    this.#res = res;
    this.grant = grant;
    this.#keeper = keeper;
    this.lastWriteMs = keeper.now();
  }

  /** Whether it has neither been ended nor cut. */
  get isOpen(): boolean {
    return !this.#res.writableEnded && !this.#res.destroyed;
  }

  /** How many bytes are still to be sent to the client. */
  get unsentBytes(): number {
    return this.#res.writableLength;
  }

  /**
   * How many bytes of the current write the system has not taken yet: it changes while the client reads. Node's public counters change only
   * when the whole write is done, which takes long on a slow line; Node's own socket timeouts use this number, too.
   */
  get queuedBytes(): number {
    // oxlint-disable-next-line no-unsafe-type-assertion -- Node's types leave the handle out
    const { _handle: handle } = (this.#res.socket ?? {}) as Socket & {
      _handle?: { writeQueueSize?: number } | null;
    };
    return handle?.writeQueueSize ?? 0;
  }

  /** Sends a JSON-RPC message as one event. */
  send(message: object): void {
    this.sendText(JSON.stringify(message));
  }

  /** Sends a JSON-RPC message that is JSON already. */
  sendText(json: string): void {
    this.write(`event: message\ndata: ${json}\n\n`);
  }

  /** Sends a JSON-RPC message as an event with an id, after which the client can resume the stream. */
  sendEvent(id: string, json: string): void {
    this.write(`id: ${id}\nevent: message\ndata: ${json}\n\n`);
  }

  /**
   * Sends an event without data, after whose id the client can resume the stream if it breaks before the first message. Only for clients
   * whose revision has such events: older ones parse the empty data as JSON.
   */
  prime(id: string, comeBackAfterMs?: number): void {
    const retry = comeBackAfterMs === undefined ? '' : `retry: ${comeBackAfterMs}\n`;
    this.write(`id: ${id}\n${retry}data: \n\n`);
  }

  /** Writes whole frames. */
  write(frames: string | Uint8Array): void {
    if (!this.isOpen) return;
    if (typeof frames === 'string') writeText(this.#res, frames);
    else this.#res.write(frames);
    this.lastWriteMs = this.#keeper.now();
    const { unsentBytes } = this;
    if (unsentBytes > NOTABLE_BYTES) this.#keeper.unsent.noteStream(this.grant.user.userId, this.#res);
    if (unsentBytes > UNSENT_SOFT_LIMIT) this.#keeper.watch(this);
  }

  /** Writes a comment as the first bytes of the body: some proxies hold back the head until they come. */
  begin(): void {
    this.write(': open\n\n');
  }

  /** Ends the stream. With `comeBackAfterMs`, a `retry` tells the client when to reconnect. */
  end({ comeBackAfterMs }: { readonly comeBackAfterMs?: number | undefined } = {}): void {
    if (!this.isOpen) return;
    if (comeBackAfterMs !== undefined) this.#res.write(`retry: ${comeBackAfterMs}\n\n`);
    this.#res.end();
  }

  /** Ends the stream for a shutdown: its client is to reconnect when a server is there again. */
  endForShutdown(): void {
    this.end({ comeBackAfterMs: this.#keeper.comeBackAfterMs });
  }

  /** Cuts the connection. */
  cut(): void {
    this.#res.destroy();
  }
}

/**
 * Writes a text to a response in one piece. Node itself frames a chunk (RFC 9112, section 7.1) as four pieces, which it gathers at each
 * write: without this, an event costs 25 % more.
 */
function writeText(res: ServerResponse, text: string): void {
  const { bytes, encoding } = measure(text);
  if (bytes > LARGE_BYTES || !res.chunkedEncoding) {
    res.write(Buffer.from(text, encoding));
    return;
  }
  res.chunkedEncoding = false;
  const chunk = `${bytes.toString(16)}\r\n${text}\r\n`;
  // Bytes, because Node counts the characters of an unsent text, which may be a third of its bytes.
  if (encoding === 'latin1') res.write(chunk, encoding);
  else res.write(Buffer.from(chunk));
  res.chunkedEncoding = true;
}

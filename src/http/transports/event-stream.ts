/** A server-sent event stream on a Node response. */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Grant } from '../../auth/verifier.ts';
import type { Slot } from './agenda.ts';
import { LARGE_BYTES, measure } from '../direct-answer.ts';
import type { EventStreams } from './event-streams.ts';
import { NOTABLE_BYTES } from './unsent-budget.ts';

/** The headers of every stream. Proxies must neither cache, compress nor collect it (X-Accel-Buffering is nginx's word). */
export const EVENT_STREAM_HEADERS = [
  'Content-Type',
  'text/event-stream',
  'Cache-Control',
  'no-cache, no-transform',
  'X-Accel-Buffering',
  'no',
] as const;

/** More than this waiting unsent for a client that reads nothing means that it has stopped reading. Bytes. */
export const UNSENT_SOFT_LIMIT = 2 * 1024 * 1024;

/** One open stream. */
export class EventStream {
  readonly grant: Grant;
  readonly #res: ServerResponse;
  /** Who looks after it. */
  readonly #keeper: EventStreams;
  /** When something was last written. Milliseconds of a clock that nobody sets. */
  lastWriteMs: number;
  /** Where it stands on the agenda of heartbeats. */
  slot: Slot<EventStream> | undefined;

  /** The response's head must have been sent, or be sent by whoever writes first. */
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

  /** Bytes that wait for the client. */
  get unsentBytes(): number {
    return this.#res.writableLength;
  }

  /**
   * What the system has yet to take of the write under way: it changes while the client reads. Node's public counters move
   * only when the whole write is done, which takes a slow line long; its own socket time-outs look at this number.
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

  /** Sends a JSON-RPC message that has been spelled already. */
  sendText(json: string): void {
    this.write(`event: message\ndata: ${json}\n\n`);
  }

  /** Sends a JSON-RPC message as an event that a client may name when it comes back. */
  sendEvent(id: string, json: string): void {
    this.write(`id: ${id}\nevent: message\ndata: ${json}\n\n`);
  }

  /**
   * Tells the client what to name when the stream breaks before anything has come on it. Only for clients that know events without
   * data: older ones take the nothing for JSON.
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

  /** Writes a first byte: there are proxies that hold a head back until one comes. */
  begin(): void {
    this.write(': open\n\n');
  }

  /** Ends the stream, with word when to come back where somebody is to come back. */
  end({ comeBackAfterMs }: { readonly comeBackAfterMs?: number | undefined } = {}): void {
    if (!this.isOpen) return;
    if (comeBackAfterMs !== undefined) this.#res.write(`retry: ${comeBackAfterMs}\n\n`);
    this.#res.end();
  }

  /** Ends the stream before a shutdown: whoever reads it is to come back when there is somebody again. */
  endForShutdown(): void {
    this.end({ comeBackAfterMs: this.#keeper.comeBackAfterMs });
  }

  /** Cuts the connection. */
  cut(): void {
    this.#res.destroy();
  }
}

/**
 * Writes to a response in one piece. A chunk (RFC 9112, section 7.1) that Node frames is gathered from four, for each write anew:
 * without this, an event costs 25 % more.
 */
function writeText(res: ServerResponse, text: string): void {
  const { bytes, encoding } = measure(text);
  if (bytes > LARGE_BYTES || !res.chunkedEncoding) {
    res.write(Buffer.from(text, encoding));
    return;
  }
  res.chunkedEncoding = false;
  const chunk = `${bytes.toString(16)}\r\n${text}\r\n`;
  // Of a text Node counts the characters that wait, which may be a third of the bytes.
  if (encoding === 'latin1') res.write(chunk, encoding);
  else res.write(Buffer.from(chunk));
  res.chunkedEncoding = true;
}

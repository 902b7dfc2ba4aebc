/** A server-sent event stream on a Node response: heartbeat, a bound on what waits unsent, a polite end. */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Grant } from '../auth/verifier.ts';

/** The headers of every stream. Proxies must neither cache, compress nor collect it (X-Accel-Buffering is nginx's word). */
export const EVENT_STREAM_HEADERS = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-cache, no-transform',
  'X-Accel-Buffering': 'no',
} as const;

/** How long clients wait before they come back after a shutdown: longer than a redeploy takes. Milliseconds. */
const RECONNECT_AFTER_MS = 8_000;

/** More than this waiting unsent for a client that reads nothing means that it has stopped reading. Bytes. */
const UNSENT_SOFT_LIMIT = 2 * 1024 * 1024;

/** So many looks in a row may find that it has read nothing. Looks and not time: a busy server must not blame its clients. */
const STALLED_TICKS = 4;

/** What the open streams of a server share. */
export interface StreamSettings {
  readonly keepAliveMs: number;
  /** Waiting bytes at which a stream is cut at once: room for a few answers of the largest size. */
  readonly unsentHardLimit: number;
  readonly now: () => number;
}

/** One open stream. */
export class EventStream {
  readonly grant: Grant;
  readonly #res: ServerResponse;
  readonly #settings: StreamSettings;
  #lastWriteMs: number;
  #queuedBytes = 0;
  #stalledTicks = 0;

  /** The response's head must have been sent, or be sent by whoever writes first. */
  constructor(res: ServerResponse, grant: Grant, settings: StreamSettings) {
    this.#res = res;
    this.grant = grant;
    this.#settings = settings;
    this.#lastWriteMs = settings.now();
  }

  /** Whether it has neither been ended nor cut. */
  get isOpen(): boolean {
    return !this.#res.writableEnded && !this.#res.destroyed;
  }

  /** Sends a JSON-RPC message as one event. */
  send(message: object): void {
    this.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
  }

  /** Writes whole frames. */
  write(frames: string | Uint8Array): void {
    if (!this.isOpen) return;
    this.#res.write(frames);
    this.noteWrite();
  }

  /** To be called after something else has written to the response. */
  noteWrite(): void {
    this.#lastWriteMs = this.#settings.now();
    this.#cutIfUnread();
  }

  /** Does what time demands: a heartbeat where nothing was written for the interval, an end to a stalled stream. */
  tick(): void {
    this.#stalledTicks += 1;
    this.#cutIfUnread();
    // Comments, never named events: clients ignore them, whatever they do with events they do not know.
    if (this.#settings.now() - this.#lastWriteMs >= this.#settings.keepAliveMs) this.write(': keepalive\n\n');
  }

  /** Ends the stream; before a shutdown with word when to come back. */
  end({ comeBackLater = false }: { readonly comeBackLater?: boolean } = {}): void {
    if (!this.isOpen) return;
    if (comeBackLater) this.#res.write(`retry: ${RECONNECT_AFTER_MS}\n\n`);
    this.#res.end();
  }

  /** Cuts the connection of a client that does not read: what waits for it would only grow. */
  #cutIfUnread(): void {
    const waiting = this.#res.writableLength;
    if (waiting <= UNSENT_SOFT_LIMIT) {
      this.#stalledTicks = 0;
      return;
    }
    const queuedBytes = queuedBytesOf(this.#res.socket);
    if (queuedBytes !== this.#queuedBytes) {
      this.#queuedBytes = queuedBytes;
      this.#stalledTicks = 0;
    }
    if (waiting > this.#settings.unsentHardLimit || this.#stalledTicks >= STALLED_TICKS) this.#res.destroy();
  }
}

/**
 * What the system has yet to take of the write under way: it changes while the client reads. Node's public counters move
 * only when the whole write is done, which takes a slow line long; its own socket time-outs look at this number.
 */
function queuedBytesOf(socket: Socket | null): number {
  // oxlint-disable-next-line no-unsafe-type-assertion -- Node's types leave the handle out
  const { _handle: handle } = (socket ?? {}) as { _handle?: { writeQueueSize?: number } | null };
  return handle?.writeQueueSize ?? 0;
}

/** The open streams of a server. */
export interface EventStreams {
  /** Opens a stream on a response; it is kept until the response closes. */
  open(res: ServerResponse, grant: Grant, headers?: Readonly<Record<string, string>>): EventStream;
  /** Takes over a response that something else has made or will make a stream. */
  adopt(res: ServerResponse, grant: Grant): EventStream;
  /** Calls `callback` once, unless the response closes before `keepAliveMs` have passed. */
  whenSilent(res: ServerResponse, callback: () => void): void;
  /** Does what time demands on every stream, and ends those whose grant is not current. */
  tick(isCurrent: (grant: Grant) => boolean): void;
}

/** Makes the keeper of a server's streams; somebody must call its `tick` at least every second. */
export function createEventStreams(settings: StreamSettings): EventStreams {
  const streams = new Set<EventStream>();
  const silent = new Map<ServerResponse, { readonly sinceMs: number; readonly callback: () => void }>();

  const adopt = (res: ServerResponse, grant: Grant): EventStream => {
    const stream = new EventStream(res, grant, settings);
    streams.add(stream);
    res.once('close', () => streams.delete(stream));
    return stream;
  };
  return {
    adopt,
    open(res, grant, headers) {
      silent.delete(res);
      res.writeHead(200, { ...EVENT_STREAM_HEADERS, ...headers });
      res.flushHeaders();
      return adopt(res, grant);
    },
    whenSilent(res, callback) {
      silent.set(res, { sinceMs: settings.now(), callback });
      res.once('close', () => silent.delete(res));
    },
    tick(isCurrent) {
      for (const stream of streams) {
        if (isCurrent(stream.grant)) stream.tick();
        else stream.end();
      }
      for (const [res, { sinceMs, callback }] of silent) {
        if (settings.now() - sinceMs < settings.keepAliveMs) continue;
        silent.delete(res);
        if (!res.headersSent) callback();
      }
    },
  };
}

/** A server-sent event stream on a Node response: heartbeat, a bound on what waits unsent, a polite end. */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Agenda, type Slot } from './agenda.ts';
import type { Grant } from '../auth/verifier.ts';
import { LARGE_BYTES, measure } from './direct-answer.ts';

/** The headers of every stream. Proxies must neither cache, compress nor collect it (X-Accel-Buffering is nginx's word). */
export const EVENT_STREAM_HEADERS = [
  'Content-Type',
  'text/event-stream',
  'Cache-Control',
  'no-cache, no-transform',
  'X-Accel-Buffering',
  'no',
] as const;

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
  readonly #streams: EventStreams;
  /** When something was last written. Milliseconds since the epoch. */
  lastWriteMs: number;
  /** Where it stands on the agenda of heartbeats. */
  slot: Slot<EventStream> | undefined;

  /** The response's head must have been sent, or be sent by whoever writes first. */
  constructor(res: ServerResponse, grant: Grant, streams: EventStreams) {
    this.#res = res;
    this.grant = grant;
    this.#streams = streams;
    this.lastWriteMs = streams.settings.now();
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

  /** Writes whole frames. */
  write(frames: string | Uint8Array): void {
    if (!this.isOpen) return;
    if (typeof frames === 'string') writeText(this.#res, frames);
    else this.#res.write(frames);
    this.lastWriteMs = this.#streams.settings.now();
    if (this.unsentBytes > UNSENT_SOFT_LIMIT) this.#streams.watch(this);
  }

  /** Ends the stream; before a shutdown with word when to come back. */
  end({ comeBackLater = false }: { readonly comeBackLater?: boolean } = {}): void {
    if (!this.isOpen) return;
    if (comeBackLater) this.#res.write(`retry: ${RECONNECT_AFTER_MS}\n\n`);
    this.#res.end();
  }

  /** Cuts the connection. */
  cut(): void {
    this.#res.destroy();
  }
}

/** Writes to a response in one piece. Node would send a chunk (RFC 9112, section 7.1) in four, which costs as much as all the rest. */
function writeText(res: ServerResponse, text: string): void {
  const { bytes, encoding } = measure(text);
  if (bytes > LARGE_BYTES || !res.chunkedEncoding) {
    res.write(Buffer.from(text, encoding));
    return;
  }
  res.chunkedEncoding = false;
  res.write(`${bytes.toString(16)}\r\n${text}\r\n`, encoding);
  res.chunkedEncoding = true;
}

/** Something that is to be called when it has been silent for as long as a stream may be. */
export interface Silent {
  onSilence(): void;
}

/** What is known of a client for which much waits. */
interface Unread {
  queuedBytes: number;
  stalledTicks: number;
}

/** The open streams of a server; somebody must call `tick` at least every second. */
export class EventStreams {
  readonly settings: StreamSettings;
  readonly #streams = new Set<EventStream>();
  readonly #unread = new Map<EventStream, Unread>();
  readonly #heartbeats = new Agenda<EventStream>();
  readonly #silent = new Agenda<Silent>();

  constructor(settings: StreamSettings) {
    this.settings = settings;
  }

  /** Takes over a response that something has made or will make a stream; it is kept until the response closes. */
  adopt(res: ServerResponse, grant: Grant): EventStream {
    const stream = new EventStream(res, grant, this);
    this.#streams.add(stream);
    this.#scheduleHeartbeat(stream);
    res.on('close', () => {
      this.#streams.delete(stream);
      this.#unread.delete(stream);
      stream.slot?.delete(stream);
    });
    return stream;
  }

  /** Calls `onSilence` when the keep-alive interval has passed, unless the entry has been deleted from the slot by then. */
  whenSilent(silent: Silent): Slot<Silent> {
    return this.#silent.add(silent, this.settings.now() + this.settings.keepAliveMs);
  }

  /** Looks after a stream for whose client much waits. */
  watch(stream: EventStream): void {
    if (!this.#unread.has(stream)) this.#unread.set(stream, { queuedBytes: -1, stalledTicks: 0 });
    if (stream.unsentBytes > this.settings.unsentHardLimit) stream.cut();
  }

  /** Does what time demands: heartbeats, an end to streams that nobody reads, and streams where there was none before. */
  tick(): void {
    const nowMs = this.settings.now();
    for (const [stream, unread] of this.#unread) this.#cutIfUnread(stream, unread);
    for (const stream of this.#heartbeats.takeDue(nowMs)) {
      // Comments, never named events: clients ignore them, whatever they do with events they do not know.
      if (nowMs - stream.lastWriteMs >= this.settings.keepAliveMs) stream.write(': keepalive\n\n');
      if (stream.isOpen) this.#scheduleHeartbeat(stream);
    }
    for (const silent of this.#silent.takeDue(nowMs)) silent.onSilence();
  }

  /** Ends the streams whose grant is not current. */
  endRevoked(isCurrent: (grant: Grant) => boolean): void {
    // Most streams share a few grants, or have each their own: either way each is asked about once.
    const verdicts = new Map<Grant, boolean>();
    for (const stream of this.#streams) {
      let verdict = verdicts.get(stream.grant);
      if (verdict === undefined) verdicts.set(stream.grant, (verdict = isCurrent(stream.grant)));
      if (!verdict) stream.end();
    }
  }

  #scheduleHeartbeat(stream: EventStream): void {
    stream.slot = this.#heartbeats.add(stream, stream.lastWriteMs + this.settings.keepAliveMs);
  }

  /** Cuts the connection of a client that does not read: what waits for it would only grow. */
  #cutIfUnread(stream: EventStream, unread: Unread): void {
    if (stream.unsentBytes <= UNSENT_SOFT_LIMIT) {
      this.#unread.delete(stream);
      return;
    }
    const { queuedBytes } = stream;
    unread.stalledTicks = queuedBytes === unread.queuedBytes ? unread.stalledTicks + 1 : 0;
    unread.queuedBytes = queuedBytes;
    if (unread.stalledTicks >= STALLED_TICKS) stream.cut();
  }
}

/**
 * The response to a POST of Streamable HTTP: JSON, or an event stream when something has to be sent before the answer, or when the answer
 * takes longer than a proxy may tolerate silence. Until that is decided not even the head is sent, because its Content-Type depends on it.
 * JSON is what every client and every proxy handles best, and most answers are there within milliseconds.
 */
import type { JSONRPCRequest } from '@modelcontextprotocol/server';
import {
  type AbandonReason,
  type MessageStream,
  type Reply,
  type RequestId,
  spellAbandonment,
} from '../../mcp/messages.ts';
import type { ReadMessage } from '../../mcp/plain-call.ts';
import type { Slot } from './agenda.ts';
import { acceptsEventStream, acceptsNothingButStreams, grantOf, type RequestContext } from '../context.ts';
import { JSON_HEADERS, writeAnswer, writeHead } from '../direct-answer.ts';
import { EVENT_STREAM_HEADERS, type EventStream } from './event-stream.ts';
import type { EventStreams } from './event-streams.ts';
import type { AnswerStream, KeptStream } from './kept-stream.ts';
import { NOTABLE_BYTES } from './unsent-budget.ts';

/** Keeps the events of responses for clients that may resume them. */
export interface AnswerKeeper {
  /** How long an answer may take before its response becomes a stream, which the client can resume. Milliseconds. */
  readonly streamAfterMs: number;
  /** Whether the client reconnects when a response ends before the answer. */
  readonly canPause: boolean;
  /** Takes over a response that has become a stream. */
  keep(stream: NewStream): KeptStream;
}

/** A response that has become a stream, and the requests that it answers. */
export interface NewStream {
  readonly ctx: RequestContext;
  readonly response: EventStream;
  readonly requests: readonly ReadMessage<JSONRPCRequest>[];
}

/** What a pending answer is made from. */
export interface PendingAnswerOptions {
  readonly streams: EventStreams;
  /** The headers of either form of the answer: names and values in turn. */
  readonly headers?: readonly string[];
  /** The requests of the POST. May be left out for a single one whose response cannot be resumed. */
  readonly requests?: readonly ReadMessage<JSONRPCRequest>[];
  /** Whether they came as a batch, and are answered as one. */
  readonly isBatch?: boolean;
  /** Absent when the client cannot resume the response. */
  readonly keeper?: AnswerKeeper | undefined;
}

/** The head of an answer that is no stream. */
export interface AnswerHead {
  readonly status: number;
  readonly headers: readonly string[];
}

/** The response to a POST until it is complete. */
export class PendingAnswer implements Reply {
  readonly #ctx: RequestContext;
  readonly #streams: EventStreams;
  readonly #headers: readonly string[];
  readonly #isBatch: boolean;
  readonly #requests: readonly ReadMessage<JSONRPCRequest>[];
  readonly #keeper: AnswerKeeper | undefined;
  /** Its slot among the responses that become streams when they are silent too long; absent when the client accepts none. */
  readonly #slot: Slot<PendingAnswer> | undefined;
  #missing: number;
  /** The answers of a batch so far, as JSON. */
  #answers: string[] | undefined;
  #stream: EventStream | undefined;
  /** The stream that keeps what is written, for clients that may resume it. */
  #kept: KeptStream | undefined;

  /** Takes the response over from Koa. */
  constructor(
    ctx: RequestContext,
    { streams, headers = [], requests = NONE, isBatch = false, keeper }: PendingAnswerOptions,
  ) {
    this.#ctx = ctx;
    this.#streams = streams;
    this.#headers = headers;
    this.#isBatch = isBatch;
    this.#requests = requests;
    this.#keeper = keeper;
    this.#missing = requests.length || 1;
    ctx.respond = false;
    this.#slot = acceptsEventStream(ctx) ? streams.whenSilent(this, keeper?.streamAfterMs) : undefined;
  }

  /** Called when a proxy could soon take the silent connection for dead: it becomes a stream. */
  onSilence(): void {
    this.openStream();
  }

  /** Whether its client may resume it after a break. */
  get isKept(): boolean {
    return this.#kept?.isKept === true;
  }

  /** The response as a stream, if the client accepts one. */
  stream(): MessageStream | undefined {
    const stream = this.#slot === undefined ? undefined : this.openStream();
    return stream && (this.#kept ?? stream);
  }

  /** The response as a stream, whatever the client accepts, with the answers so far; undefined when it is too late. */
  openStream(): EventStream | undefined {
    if (this.#stream === undefined && this.#isUntouched) {
      this.#slot?.delete(this);
      writeHead(this.#ctx, 200, [...EVENT_STREAM_HEADERS, ...this.#headers]);
      this.#ctx.res.flushHeaders();
      this.#stream = this.#streams.adopt(this.#ctx.res, grantOf(this.#ctx));
      this.#stream.begin();
      this.#kept = this.#keeper?.keep({
        ctx: this.#ctx,
        response: this.#stream,
        requests: this.#requests,
      });
      for (const answer of this.#answers ?? []) (this.#kept ?? this.#stream).sendText(answer);
    }
    return this.#stream;
  }

  /** Whether the client reconnects when the response ends before the answer. */
  get canPause(): boolean {
    return this.#slot !== undefined && this.#keeper?.canPause === true;
  }

  /** Ends the response, whose client is to reconnect after a while; false if it would not. */
  pause(comeBackAfterMs: number): boolean {
    if (!this.canPause || this.stream() === undefined) return false;
    this.#kept?.pause(comeBackAfterMs);
    return true;
  }

  /** Notes a request's answer, as JSON, or that none will come; the last one ends the response. */
  settle(answer?: string, head: AnswerHead = JSON_HEAD): void {
    this.#missing -= 1;
    if (answer !== undefined && head.status === 200 && acceptsNothingButStreams(this.#ctx)) this.openStream();
    const stream: AnswerStream | undefined = this.#kept ?? this.#stream;
    if (answer !== undefined) {
      if (stream !== undefined) stream.sendText(answer, this.#missing === 0);
      else if (this.#isBatch) (this.#answers ??= []).push(answer);
    }
    if (this.#missing > 0) return;
    this.#slot?.delete(this);
    if (stream !== undefined) return stream.end();
    const text = this.#isBatch ? this.#answers && `[${this.#answers.join(',')}]` : answer;
    this.#write(text, head);
  }

  /** Answers a request that was abandoned; a response that is no stream yet is answered as a whole. */
  abandon(id: RequestId | null, reason: AbandonReason): void {
    if (this.#stream !== undefined) return this.settle(spellAbandonment(id, reason));
    this.#slot?.delete(this);
    this.#write(spellAbandonment(this.#isBatch ? null : id, reason), ABANDONED_HEADS[reason]);
  }

  /** Whether nothing has been written, and the client is still there. */
  get #isUntouched(): boolean {
    return !this.#ctx.res.headersSent && !this.#ctx.res.destroyed;
  }

  /** Writes the whole response at once; without a text it is 202, because every request was cancelled. */
  #write(text: string | undefined, { status, headers }: AnswerHead): void {
    if (!this.#isUntouched) return;
    if (text === undefined) writeAnswer(this.#ctx, 202, { text: '', headers: this.#headers });
    else {
      const answer = { text, headers: [...headers, ...this.#headers] };
      // Cheaper than counting the bytes: a UTF-16 code unit takes at most three bytes in UTF-8.
      if (3 * text.length > NOTABLE_BYTES) this.#streams.unsent.write(this.#ctx, status, answer);
      else writeAnswer(this.#ctx, status, answer);
    }
  }
}

const NONE: readonly never[] = [];

const JSON_HEAD: AnswerHead = { status: 200, headers: JSON_HEADERS };

/** The heads of responses whose requests were abandoned. */
const ABANDONED_HEADS: Readonly<Record<AbandonReason, AnswerHead>> = {
  session_ended: { status: 404, headers: JSON_HEADERS },
  // RFC 6750, section 3.1.
  revoked: {
    status: 401,
    headers: [...JSON_HEADERS, 'WWW-Authenticate', 'Bearer realm="mcp", error="invalid_token"'],
  },
};

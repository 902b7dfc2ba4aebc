/** The resumable streams of one session of Streamable HTTP: those of its POSTs, and its own (GET). */
import type { JSONRPCMessage } from '@modelcontextprotocol/server';
import { hasAllScopes, scopesOfCalls } from '../../mcp/call-scopes.ts';
import { isRequest, type LossReason, noStreamForRequest } from '../../mcp/messages.ts';
import type { McpDefinition } from '../../mcp/server.ts';
import type { EventStore, Resumption, ResumeOptions, StreamKey } from '../../sessions/event-store.ts';
import { PeersUnreachableError } from '../../sessions/peers.ts';
import type { EndReason, Session } from '../../sessions/registry.ts';
import { grantOf, type RequestContext } from '../context.ts';
import { writeAnswer, writeHead } from '../direct-answer.ts';
import { HttpError, requireClient } from '../errors.ts';
import { createEventIds, type EventIds, type EventRef, readEventId } from './event-ids.ts';
import { EVENT_STREAM_HEADERS, type EventStream } from './event-stream.ts';
import type { EventStreams } from './event-streams.ts';
import { KeptStream, ResponseReader, writeLoss } from './kept-stream.ts';
import { unreachable } from './peer-callers.ts';
import type { AnswerKeeper, NewStream } from './pending-answer.ts';
import { isOver } from './session-opening.ts';

/** The first revision whose clients accept an event without data, and reconnect when a stream ends before the answer. */
const FIRST_WITH_PRIMING = '2025-11-25';

/** How long the answer to a POST may take before its response becomes a stream that the client can resume. Milliseconds. */
const STREAM_AFTER_MS = 1_000;

/** The `retry` of a resumed stream: it may have been set to something longer before. Milliseconds. */
const COME_BACK_AFTER_MS = 1_000;

/** What the streams of all sessions share. */
export interface SharedByStreams {
  readonly definition: McpDefinition;
  readonly streams: EventStreams;
  readonly store: EventStore;
}

/** The session that streams belong to. */
export interface StreamOwner {
  readonly session: Session;
  readonly mcp: { readonly protocolVersion: string | undefined };
  /** The headers of every response of the session: names and values in turn. */
  readonly headers: readonly string[];
}

/** The streams of one session. */
export class SessionStreams implements AnswerKeeper {
  readonly #owner: StreamOwner;
  readonly #shared: SharedByStreams;
  #canPause: boolean | undefined;
  /** The stream that GET has opened, and its latest reader. */
  #own: { readonly stream: KeptStream; reader: ResponseReader } | undefined;

  constructor(owner: StreamOwner, shared: SharedByStreams) {
    this.#owner = owner;
    this.#shared = shared;
  }

  /** Whether the client reconnects when a response ends before the answer. */
  get canPause(): boolean {
    if (this.#canPause === undefined) {
      const { protocolVersion } = this.#owner.mcp;
      if (protocolVersion === undefined) return false;
      this.#canPause = protocolVersion >= FIRST_WITH_PRIMING;
    }
    return this.#canPause;
  }

  /** How long the answer to a POST may take before its response becomes a stream; Infinity for clients that cannot resume it. */
  get streamAfterMs(): number {
    return this.canPause ? STREAM_AFTER_MS : Infinity;
  }

  /** Takes over the response to a POST that has become a stream, so that it can be resumed. */
  keep({ ctx, response, requests }: NewStream): KeptStream {
    const { session } = this.#owner;
    const { store, definition } = this.#shared;
    const messages = requests.map(({ message }) => message);
    const requestIds = messages.map(({ id }) => id);
    const ids = createEventIds(session.id, 'post', requestIds);
    const stream = new KeptStream({ session, store, ids, scopes: scopesOfCalls(messages, definition) });
    const reader = new ResponseReader(ids, () => response);
    stream.readBy(reader.begun());
    ctx.res.once('close', () => stream.release(reader));
    if (this.canPause) {
      stream.keep();
      response.prime(ids.spell(0));
    }
    return stream;
  }

  /** Opens the session's own stream (GET). An earlier one, whose connection may be half dead, is ended. */
  open(ctx: RequestContext): void {
    const { session } = this.#owner;
    this.#own?.stream.end();
    const ids = createEventIds(session.id, 'get');
    const stream = new KeptStream({ session, store: this.#shared.store, ids, isEndless: true });
    const reader = new ResponseReader(ids, () => this.#begin(ctx, ids.spell(0)));
    this.#own = { stream, reader };
    stream.readBy(reader.begun());
    ctx.res.once('close', () => stream.release(reader));
    this.#hold(ctx);
  }

  /**
   * Resumes a stream after the event that its client has seen last.
   * @throws {HttpError} 400 for an event id that is not of this session, 410 when the answer is lost and the id does not name its request
   */
  async resume(ctx: RequestContext, lastEventId: string): Promise<void> {
    const { session } = this.#owner;
    const ref = readEventId(session.id, lastEventId);
    if (ref === undefined) throw unknownEvent();
    const { ids, number: after, isLast } = ref;
    // After its last event a stream is over: a client that reconnects all the same would do so for ever.
    if (isLast) return writeNothingMore(ctx);
    const open = (): EventStream => this.#begin(ctx, lastEventId, COME_BACK_AFTER_MS);
    const reader = new ResponseReader(ids, open, after);
    const own = this.#own?.stream.ids.stream === ids.stream ? this.#own : undefined;
    if (own?.stream.isKept === false) {
      if (after > 0) throw unknownEvent();
      own.stream.readBy(reader.begun());
      ctx.res.once('close', () => own.stream.release(reader));
    } else {
      const { user } = grantOf(ctx);
      const key = { userId: session.userId, sessionId: session.id, stream: ids.stream };
      const options = { after, reader, mayRead: (scopes: readonly string[]) => hasAllScopes(user, scopes) };
      const resumption = await this.#resume(key, options);
      if (resumption.outcome !== 'resumed') {
        requireClient(ctx);
        return this.#refuse(ctx, ref, resumption.outcome);
      }
      this.#note(ctx, ids, resumption.missed);
      // The client has gone meanwhile, or has got everything.
      if (ctx.res.destroyed) return resumption.log.release(reader);
      reader.begun();
      ctx.res.once('close', () => resumption.log.release(reader));
    }
    if (own === undefined) return;
    own.reader = reader;
    this.#hold(ctx);
  }

  /** The name of the session's own stream; undefined before the first. */
  get ownName(): string | undefined {
    return this.#own?.stream.ids.stream;
  }

  /** Ends the session's own stream, if it has this name. */
  endOwn(name: string): void {
    if (this.ownName === name) this.#own?.stream.end();
  }

  /** Sends a message that belongs to no request of the client. Without a reader it is kept for a while if the stream can be resumed, else dropped. */
  send(message: JSONRPCMessage): void {
    if (isRequest(message) && this.#own?.reader.isOpen !== true) throw noStreamForRequest();
    this.#own?.stream.send(message);
  }

  /** Ends the session's own stream; unless the session is over, the client is told when to reconnect. */
  end(reason: EndReason): void {
    const { session } = this.#owner;
    if (isOver(reason)) {
      this.#own?.stream.end();
      this.#shared.store.forget({ userId: session.userId, sessionId: session.id });
      return;
    }
    // The session may go on in another process, where its client opens another stream.
    this.#own?.stream.abandon(this.#shared.streams.comeBackAfterMs);
  }

  /**
   * Resumes a stream from the store.
   * @throws {HttpError} 503 when the processes that may keep it cannot be reached
   */
  async #resume(key: StreamKey, options: ResumeOptions): Promise<Resumption> {
    try {
      return await this.#shared.store.resume(key, options);
    } catch (error) {
      throw error instanceof PeersUnreachableError ? unreachable(error) : error;
    }
  }

  /** Begins an event stream on a response; its client is told at once which event id to resume after. */
  #begin(ctx: RequestContext, lastEventId: string, comeBackAfterMs?: number): EventStream {
    writeHead(ctx, 200, [...EVENT_STREAM_HEADERS, ...this.#owner.headers]);
    ctx.res.flushHeaders();
    const stream = this.#shared.streams.adopt(ctx.res, grantOf(ctx));
    stream.begin();
    if (this.canPause) stream.prime(lastEventId, comeBackAfterMs);
    return stream;
  }

  /** Counts the session as in use while a response is open. */
  #hold(ctx: RequestContext): void {
    const release = this.#owner.session.holdStream();
    ctx.res.once('close', release);
  }

  /** Answers a client whose stream cannot be resumed. */
  #refuse(ctx: RequestContext, ref: EventRef, outcome: Exclude<Resumption['outcome'], 'resumed'>): void {
    if (outcome === 'unknown_event') throw unknownEvent();
    if (outcome === 'ended') return writeNothingMore(ctx);
    if (outcome === 'forbidden') return this.#answerLoss(ctx, ref, 'insufficient_scope');
    if (ref.ids.kind === 'post') return this.#answerLoss(ctx, ref, 'answer_lost');
    // The events in between are lost. Those to come are not: they go to this response, unless another one takes them.
    if (this.#own?.reader.isOpen === true) return writeNothingMore(ctx);
    this.open(ctx);
  }

  /** Answers the requests of a stream with the error that their answers are lost: their clients must not wait for ever. */
  #answerLoss(ctx: RequestContext, { ids, number }: EventRef, reason: LossReason): void {
    this.#note(ctx, ids, reason);
    const { requestIds } = ids;
    if (requestIds.length === 0) throw new HttpError(410, reason, LOST);
    writeLoss(this.#begin(ctx, ids.spell(number)), { ids, number, requestIds, reason });
  }

  /** Logs how resuming a stream ended: the number of events that were missed, or why it failed. */
  #note({ state }: RequestContext, { kind }: EventIds, result: number | LossReason): void {
    const { userId } = this.#owner.session;
    const facts = { requestId: state.requestId, userId, stream: kind };
    const { log } = this.#shared.definition;
    if (typeof result === 'number') log.info({ ...facts, missed: result }, 'stream resumed');
    else log.info({ ...facts, reason: result }, 'stream not resumed');
  }
}

/** The answer to an id that no event of the session has. */
function unknownEvent(): HttpError {
  const words =
    'Last-Event-ID names no event of this session. Send it as it came, or open the stream without it.';
  return new HttpError(400, 'unknown_event', words);
}

/** The message of a loss where the event id does not name the requests. */
const LOST = 'The messages of this stream are no longer kept. Send the request again if that is safe.';

/** Ends a client's reconnecting: by the HTML standard, an event stream that is answered with 204 is not requested again. */
function writeNothingMore(ctx: RequestContext): void {
  writeAnswer(ctx, 204, { text: '', headers: [] });
}

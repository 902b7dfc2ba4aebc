/** One session's server: plain messages go the short way; the SDK's server is made when something comes that needs it. */
import type {
  CallToolResult,
  JSONRPCMessage,
  JSONRPCRequest,
  ServerEvent,
} from '@modelcontextprotocol/server';
import type { Caller } from './caller.ts';
import type { Follower } from './changes.ts';
import { type Lane, LaneCall, laneOf, negotiate, spellAnswer } from './fast-lane.ts';
import {
  cancelledIdOf,
  type Channel,
  isRequest,
  noStreamForRequest,
  type Reply,
  type RequestId,
} from './messages.ts';
import { correctParamsError } from './params-check.ts';
import type { PlainCall, ReadMessage } from './plain-call.ts';
import { type Handshake, SdkSession, type SendOptions } from './sdk-session.ts';
import { type McpDefinition, NO_REVISION } from './server.ts';

/** What a session is made from. */
export interface McpSessionParts {
  readonly definition: McpDefinition;
  /** Whose it is. */
  readonly userId: string;
  readonly channel: Channel;
}

/** A request that is being worked on. */
interface InFlight {
  readonly reply: Reply | undefined;
  /** What the SDK's server has been asked. */
  readonly request?: JSONRPCRequest;
  cancel?(): void;
}

/** The server of one session, over whichever transport. */
export class McpSession implements Follower {
  readonly userId: string;
  readonly #definition: McpDefinition;
  readonly #channel: Channel;
  readonly #lane: Lane | undefined;
  /** Made with the first request: most sessions are idle. */
  #inFlight: Map<RequestId, InFlight> | undefined;
  /** What the lane has agreed on with the client. */
  #handshake: Handshake | undefined;
  #sdk: SdkSession | undefined;

  constructor({ definition, userId, channel }: McpSessionParts) {
    this.userId = userId;
    this.#definition = definition;
    this.#channel = channel;
    this.#lane = laneOf(definition);
    // Without a lane the server is there as long as the session, and follows the changes itself.
    if (this.#lane === undefined) this.#wake();
    else definition.changes.join(this);
  }

  /** The revision negotiated; undefined before `initialize`. */
  get protocolVersion(): string | undefined {
    return this.#sdk?.protocolVersion ?? (this.#handshake && negotiate(this.#handshake.params));
  }

  /** How many requests are being worked on. */
  get callsInFlight(): number {
    return this.#inFlight?.size ?? 0;
  }

  /** Whether a request with this id is being worked on: a second one could not be told from it. */
  isWorkingOn(id: RequestId): boolean {
    return this.#inFlight?.has(id) ?? false;
  }

  /** Takes a request, whose id must be free. */
  request({ message: request, call }: ReadMessage<JSONRPCRequest>, caller: Caller, reply: Reply): void {
    const answer = call === undefined ? this.#answerAtOnce(request, caller) : undefined;
    if (answer !== undefined) return reply.settle(answer);
    if (call !== undefined && this.#run(call, caller, reply)) return;
    this.#add(request.id, { reply, request });
    this.#wake().forward(request, caller);
  }

  /** Takes a notification, or an answer of the client's. */
  note(message: JSONRPCMessage, caller: Caller): void {
    const cancelledId = cancelledIdOf(message);
    const cancelled = cancelledId === undefined ? undefined : this.#inFlight?.get(cancelledId);
    cancelled?.cancel?.();
    if (
      'method' in message &&
      message.method === 'notifications/initialized' &&
      this.#handshake !== undefined
    )
      this.#handshake = { ...this.#handshake, isInitialized: true };
    // A server that sleeps has asked nothing, works on nothing, and without features minds nothing.
    this.#sdk?.forward(message, caller);
    if (cancelledId === undefined || cancelled === undefined) return;
    // Without this its response would stay open for ever.
    this.#settle(cancelledId, cancelled);
  }

  /** Tells the client of a change; without features, tools are all that can change. */
  deliverChange(event: ServerEvent): void {
    if (event.kind !== 'tools_list_changed') return;
    this.#channel.send({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' }).catch(() => undefined);
  }

  /** Cancels what is under way: the session has ended. */
  close(): void {
    this.#definition.changes.leave(this);
    for (const [id, request] of this.#inFlight ?? []) {
      request.cancel?.();
      request.reply?.abandon(id);
    }
    this.#inFlight?.clear();
    void this.#sdk?.close();
  }

  /** Called by the SDK's server: the answer to a request. */
  answer(id: RequestId, answer: JSONRPCMessage): void {
    const asked = this.#inFlight?.get(id);
    if (asked === undefined) return;
    const { request } = asked;
    this.#settle(id, asked, JSON.stringify(request ? correctParamsError(answer, request) : answer));
  }

  /** Called by the SDK's server: something of its own, which may belong to a request. */
  async send(message: JSONRPCMessage, { relatedRequestId }: SendOptions = {}): Promise<void> {
    const request = relatedRequestId === undefined ? undefined : this.#inFlight?.get(relatedRequestId);
    if (request === undefined) return this.#channel.send(message);
    const stream = request.reply?.stream();
    if (stream !== undefined) stream.send(message);
    else if (isRequest(message)) throw noStreamForRequest();
  }

  /** The answer to a request that needs no work. */
  #answerAtOnce(request: JSONRPCRequest, caller: Caller): string | undefined {
    if (request.method !== 'initialize') return this.#lane?.answerAtOnce(request, caller);
    // A server that is awake must see a handshake itself.
    if (this.#sdk !== undefined) return undefined;
    this.#handshake = { params: request.params, isInitialized: false };
    return this.#lane?.welcome(request);
  }

  /** Runs a call the short way; false when the SDK must have it. */
  #run(call: PlainCall, caller: Caller, reply: Reply): boolean {
    const running = new LaneCall(reply, call.progressToken);
    const protocolVersion = this.protocolVersion ?? NO_REVISION;
    const result = this.#lane?.run(call, { caller, protocolVersion, origin: running });
    if (result === undefined) return false;
    this.#add(call.id, running);
    void result.then((found) => this.#finish(call.id, running, found));
    return true;
  }

  #finish(id: RequestId, running: LaneCall, result: CallToolResult): void {
    // A cancelled call has been settled; its id may be in use again.
    if (!running.isCancelled) this.#settle(id, running, spellAnswer(id, result));
  }

  #add(id: RequestId, request: InFlight): void {
    (this.#inFlight ??= new Map()).set(id, request);
  }

  /** Takes a request off the list, with its answer or, when it was cancelled, without. */
  #settle(id: RequestId, request: InFlight, answer?: string): void {
    this.#inFlight?.delete(id);
    request.reply?.settle(answer);
    this.#channel.onSettled();
  }

  /** The SDK's server, made when it is first needed. */
  #wake(): SdkSession {
    return (this.#sdk ??= new SdkSession({
      definition: this.#definition,
      session: this,
      follows: this.#lane === undefined ? this : undefined,
      handshake: this.#handshake,
    }));
  }
}

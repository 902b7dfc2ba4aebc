/** One session's server: plain messages go the short way; the SDK's server is made when something comes that needs it. */
import type { JSONRPCMessage, JSONRPCRequest, ServerEvent } from '@modelcontextprotocol/server';
import { NO_REVISION } from './call-tool.ts';
import type { Grant } from '../auth/verifier.ts';
import type { Caller } from './caller.ts';
import type { Follower } from './changes.ts';
import type { Worker } from './in-flight.ts';
import { type Lane, LaneCall, negotiate, spellAnswer } from './lane.ts';
import {
  type AbandonReason,
  cancelledIdOf,
  type Channel,
  isRequest,
  noStreamForRequest,
  type Reply,
  type RequestId,
} from './messages.ts';
import type { PlainCall, ReadMessage } from './plain-call.ts';
import { type Handshake, SdkSession, type SendOptions, type Setting } from './sdk-session.ts';
import type { McpDefinition } from './server.ts';
import {
  MAX_REQUESTS_IN_FLIGHT,
  type McpSessionParts,
  type SessionRequest,
  spellAnswerOf,
  spellRefusal,
} from './session-request.ts';

/** The server of one session, over whichever transport. */
export class McpSession implements Follower, Worker {
  readonly userId: string;
  readonly #definition: McpDefinition;
  readonly #channel: Channel;
  readonly #lane: Lane | undefined;
  /** Made with the first request: most sessions are idle. */
  #inFlight: Map<number, SessionRequest> | undefined;
  #lastKey = 0;
  /** What has been agreed on with the client; without a lane, only before this session went on. */
  handshake: Handshake | undefined;
  #sdk: SdkSession | undefined;

  constructor({ definition, userId, channel, handshake }: McpSessionParts) {
    this.userId = userId;
    this.#definition = definition;
    this.#channel = channel;
    this.handshake = handshake;
    this.#lane = definition.findLane();
    definition.inFlight.join(this);
    // Without a lane the server is there as long as the session, and follows the changes itself.
    if (this.#lane === undefined) this.#wake();
    else definition.changes.join(this);
  }

  /** The revision negotiated; undefined before `initialize`. */
  get protocolVersion(): string | undefined {
    return this.#sdk?.protocolVersion ?? (this.handshake && negotiate(this.handshake.params));
  }

  /** How many requests are being worked on. */
  get callsInFlight(): number {
    return this.#inFlight?.size ?? 0;
  }

  /** Whether a request with this id is being worked on. */
  isWorkingOn(id: RequestId): boolean {
    for (const request of this.#inFlight?.values() ?? []) if (request.id === id) return true;
    return false;
  }

  /** Takes a request. */
  request({ message: request, call }: ReadMessage<JSONRPCRequest>, caller: Caller, reply: Reply): void {
    const answer = call ? this.#lane?.refuse(call, caller, this) : this.#answerAtOnce(request, caller);
    if (answer !== undefined) return reply.settle(answer);
    if (this.callsInFlight >= MAX_REQUESTS_IN_FLIGHT) return reply.settle(spellRefusal(request));
    if (call !== undefined && this.#run(call, caller, reply)) return;
    const { key } = this.#add({
      id: request.id,
      grant: caller.grant,
      reply,
      work: request,
      key: (this.#lastKey += 1),
    });
    const pause = reply.canPause === true ? reply.pause?.bind(reply) : undefined;
    this.#wake().forward({ ...request, id: key }, caller, pause);
  }

  /** Cancels what has this id: without being settled, their responses would stay open for ever. */
  cancel(id: RequestId): void {
    for (const request of this.#withId(id)) this.#cancel(request);
  }

  /** Takes a notification, or an answer of the client's. */
  note(message: JSONRPCMessage, caller: Caller): void {
    const cancelledId = cancelledIdOf(message);
    if (cancelledId !== undefined) return this.cancel(cancelledId);
    if ('method' in message && message.method === 'notifications/initialized' && this.handshake !== undefined)
      this.handshake = { ...this.handshake, isInitialized: true };
    // A server that sleeps has asked nothing, works on nothing, and without features minds nothing.
    this.#sdk?.forward(message, caller);
  }

  /** Sets what the client has set elsewhere; nobody waits for the answer. */
  apply(setting: Setting, caller: Caller): void {
    // Where a feature has something to set, the server must know of it.
    (this.#lane?.keepsServer === true ? this.#wake() : this.#sdk)?.apply(setting, caller);
  }

  /**
   * Cancels what was to be answered on a reply that reaches nobody any more. The specification has it that a lost connection alone is
   * no cancel, because a client may come back for the answer; one that has been given nothing to name cannot.
   */
  forsake(reply: Reply): void {
    for (const request of this.#inFlight?.values() ?? []) if (request.reply === reply) this.#cancel(request);
  }

  /** Gives the requests up whose grant is not current. */
  endRevoked(isCurrent: (grant: Grant) => boolean): void {
    for (const request of this.#inFlight?.values() ?? []) {
      if (isCurrent(request.grant)) continue;
      this.#abandon(request, 'revoked');
      this.#channel.onSettled();
    }
  }

  /** Tells the client of the change of a list; to single resources nobody can have subscribed who needed no server for it. */
  deliverChange(event: ServerEvent): void {
    const message = this.#lane?.listChangeOf(event);
    if (message !== undefined) this.#channel.send(message).catch(() => undefined);
  }

  /** Gives up what is under way: the session has ended. */
  close(): void {
    this.#definition.changes.leave(this);
    this.#definition.inFlight.leave(this);
    for (const request of this.#inFlight?.values() ?? []) this.#abandon(request, 'session_ended');
    void this.#sdk?.close();
  }

  /** Called by the SDK's server: the answer to a request. */
  answer(key: RequestId, answer: JSONRPCMessage): void {
    const request = this.#withKey(key);
    if (request !== undefined) this.#settle(request, spellAnswerOf(request, answer));
  }

  /** Called by the SDK's server: something of its own, which may belong to a request. */
  async send(message: JSONRPCMessage, { relatedRequestId }: SendOptions = {}): Promise<void> {
    const request = this.#withKey(relatedRequestId);
    if (request === undefined) return this.#channel.send(message);
    const stream = request.reply.stream();
    if (stream !== undefined) stream.send(message);
    else if (isRequest(message)) throw noStreamForRequest();
  }

  /** The answer to a request that needs no work. */
  #answerAtOnce(request: JSONRPCRequest, caller: Caller): string | undefined {
    if (request.method !== 'initialize') return this.#lane?.answerAtOnce(request, caller);
    this.handshake = { params: request.params, isInitialized: false };
    // A server that is awake must see a handshake itself.
    return this.#sdk === undefined ? this.#lane?.welcome(request) : undefined;
  }

  /** Runs a call the short way; false when the SDK must have it. */
  #run(call: PlainCall, caller: Caller, reply: Reply): boolean {
    const work = new LaneCall(reply, call.progressToken);
    const protocolVersion = this.protocolVersion ?? NO_REVISION;
    const result = this.#lane?.run(call, { caller, protocolVersion, origin: work });
    if (result === undefined) return false;
    const request = this.#add({ id: call.id, grant: caller.grant, reply, work, key: (this.#lastKey += 1) });
    void result.then((found) => this.#finish(request, spellAnswer(call.id, found)));
    return true;
  }

  /** Settles a call of the lane, unless it has been cancelled: then it was settled at once. */
  #finish(request: SessionRequest, answer: string): void {
    if (this.#inFlight?.get(request.key) === request) this.#settle(request, answer);
  }

  #add(request: SessionRequest): SessionRequest {
    (this.#inFlight ??= new Map()).set(request.key, request);
    return request;
  }

  #withKey(key: RequestId | undefined): SessionRequest | undefined {
    return typeof key === 'number' ? this.#inFlight?.get(key) : undefined;
  }

  #withId(id: RequestId): SessionRequest[] {
    return [...(this.#inFlight?.values() ?? [])].filter((request) => request.id === id);
  }

  /** Has the work on a request end. */
  #stop({ work, key }: SessionRequest): void {
    if (work instanceof LaneCall) work.cancel();
    else this.#sdk?.cancel(key);
  }

  /** Gives a request up that its client still waits for. */
  #abandon(request: SessionRequest, reason: AbandonReason): void {
    this.#stop(request);
    this.#remove(request);
    request.reply.abandon(request.id, reason);
  }

  /** Ends a request without an answer. */
  #cancel(request: SessionRequest): void {
    this.#stop(request);
    this.#settle(request);
  }

  /** Takes a request off the list, with its answer or, when it was cancelled, without. */
  #settle(request: SessionRequest, answer?: string): void {
    this.#remove(request);
    request.reply.settle(answer);
    this.#channel.onSettled();
  }

  #remove(request: SessionRequest): void {
    this.#inFlight?.delete(request.key);
    if (this.#inFlight?.size === 0) this.#fallAsleep();
  }

  /** The SDK's server, made when it is first needed. */
  #wake(): SdkSession {
    if (this.#sdk !== undefined) return this.#sdk;
    const [definition, handshake] = [this.#definition, this.handshake];
    // One that stays follows the changes itself: it knows what its client has subscribed to.
    const follows = (this.#lane?.keepsServer ?? true) ? this : undefined;
    if (follows !== undefined) definition.changes.leave(this);
    return (this.#sdk = new SdkSession({ definition, session: this, follows, handshake }));
  }

  /**
   * Lets go of the SDK's server, several times as large as everything else that an idle session holds. Where no feature
   * has anything on it, it knows nothing but the handshake, of which the next one is told.
   */
  #fallAsleep(): void {
    if ((this.#lane?.keepsServer ?? true) || this.#sdk?.isReady !== true) return;
    void this.#sdk.close();
    this.#sdk = undefined;
    // A map that is empty is not small.
    this.#inFlight = undefined;
  }
}

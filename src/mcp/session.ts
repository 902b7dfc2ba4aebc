/** One session's server: plain messages are answered by the fast lane; the SDK's server is made when a message needs it. */
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
  /** Made with the first request, as most sessions are idle. */
  #inFlight: Map<number, SessionRequest> | undefined;
  #lastKey = 0;
  /** What was agreed on at `initialize`, here or in the process where the session was opened. */
  handshake: Handshake | undefined;
  #sdk: SdkSession | undefined;

  constructor({ definition, userId, channel, handshake }: McpSessionParts) {
    this.userId = userId;
    this.#definition = definition;
    this.#channel = channel;
    this.handshake = handshake;
    this.#lane = definition.findLane();
    definition.inFlight.join(this);
    // Without a lane the SDK's server lives as long as the session and follows the changes itself.
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

  /** Takes a request, whose answer goes to `reply`. */
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

  /** Cancels every request with this id, and settles it: its response would stay open for ever otherwise. */
  cancel(id: RequestId): void {
    for (const request of this.#withId(id)) this.#cancel(request);
  }

  /** Takes a notification, or the client's answer to a request of the server. */
  note(message: JSONRPCMessage, caller: Caller): void {
    const cancelledId = cancelledIdOf(message);
    if (cancelledId !== undefined) return this.cancel(cancelledId);
    if ('method' in message && message.method === 'notifications/initialized' && this.handshake !== undefined)
      this.handshake = { ...this.handshake, isInitialized: true };
    // Without an SDK server there is no open question, no work to cancel, and no feature that listens.
    this.#sdk?.forward(message, caller);
  }

  /** Applies what the client has set in another process: its log level or a subscription. Nobody waits for the answer. */
  apply(setting: Setting, caller: Caller): void {
    // Where features use the SDK's server, it is woken to hear of the setting.
    (this.#lane?.keepsServer === true ? this.#wake() : this.#sdk)?.apply(setting, caller);
  }

  /**
   * Cancels the requests whose reply can reach nobody any more. By the specification a lost connection is not a cancellation, because the
   * client may resume the stream; a client that was given no event id cannot resume.
   */
  cancelUndeliverable(reply: Reply): void {
    for (const request of this.#inFlight?.values() ?? []) if (request.reply === reply) this.#cancel(request);
  }

  /** Abandons the requests whose grant is not current. */
  endRevoked(isCurrent: (grant: Grant) => boolean): void {
    for (const request of this.#inFlight?.values() ?? []) {
      if (isCurrent(request.grant)) continue;
      this.#abandon(request, 'revoked');
      this.#channel.onSettled();
    }
  }

  /** Tells the client that a list has changed. Changes of single resources are left out: a subscription to one has made an SDK server, which tells it. */
  deliverChange(event: ServerEvent): void {
    const message = this.#lane?.listChangeOf(event);
    if (message !== undefined) this.#channel.send(message).catch(() => undefined);
  }

  /** Ends the session: abandons the requests in flight. */
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

  /** Called by the SDK's server: a request or a notification of its own, which may belong to a request of the client. */
  async send(message: JSONRPCMessage, { relatedRequestId }: SendOptions = {}): Promise<void> {
    const request = this.#withKey(relatedRequestId);
    if (request === undefined) return this.#channel.send(message);
    const stream = request.reply.stream();
    if (stream !== undefined) stream.send(message);
    else if (isRequest(message)) throw noStreamForRequest();
  }

  /** The answer to a request that the lane can give at once. */
  #answerAtOnce(request: JSONRPCRequest, caller: Caller): string | undefined {
    if (request.method !== 'initialize') return this.#lane?.answerAtOnce(request, caller);
    this.handshake = { params: request.params, isInitialized: false };
    // An SDK server that exists must see the handshake itself.
    return this.#sdk === undefined ? this.#lane?.welcome(request) : undefined;
  }

  /** Runs a call in the lane; false when the SDK must have it. */
  #run(call: PlainCall, caller: Caller, reply: Reply): boolean {
    const work = new LaneCall(reply, call.progressToken);
    const protocolVersion = this.protocolVersion ?? NO_REVISION;
    const result = this.#lane?.run(call, { caller, protocolVersion, origin: work });
    if (result === undefined) return false;
    const request = this.#add({ id: call.id, grant: caller.grant, reply, work, key: (this.#lastKey += 1) });
    void result.then((found) => this.#finish(request, spellAnswer(call.id, found)));
    return true;
  }

  /** Settles a call of the lane, unless it was cancelled, which has settled it already. */
  #finish(request: SessionRequest, answer: string): void {
    if (this.#inFlight?.get(request.key) === request) this.#settle(request, answer);
  }

  /** Adds a request to those in flight. */
  #add(request: SessionRequest): SessionRequest {
    (this.#inFlight ??= new Map()).set(request.key, request);
    return request;
  }

  /** The request that the SDK's server knows by this key. */
  #withKey(key: RequestId | undefined): SessionRequest | undefined {
    return typeof key === 'number' ? this.#inFlight?.get(key) : undefined;
  }

  /** The requests with an id of the client's; there may be several. */
  #withId(id: RequestId): SessionRequest[] {
    return [...(this.#inFlight?.values() ?? [])].filter((request) => request.id === id);
  }

  /** Stops the work on a request. */
  #stop({ work, key }: SessionRequest): void {
    if (work instanceof LaneCall) work.cancel();
    else this.#sdk?.cancel(key);
  }

  /** Gives up a request that its client still waits for. */
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

  /** Removes a request and settles its reply: with its answer, or without one when it was cancelled. */
  #settle(request: SessionRequest, answer?: string): void {
    this.#remove(request);
    request.reply.settle(answer);
    this.#channel.onSettled();
  }

  /** Removes a request from those in flight; after the last one the SDK's server may go. */
  #remove(request: SessionRequest): void {
    this.#inFlight?.delete(request.key);
    if (this.#inFlight?.size === 0) this.#fallAsleep();
  }

  /** The SDK's server, made when it is first needed. */
  #wake(): SdkSession {
    if (this.#sdk !== undefined) return this.#sdk;
    const [definition, handshake] = [this.#definition, this.handshake];
    // A server that is kept follows the changes itself, as it knows the client's subscriptions.
    const follows = (this.#lane?.keepsServer ?? true) ? this : undefined;
    if (follows !== undefined) definition.changes.leave(this);
    return (this.#sdk = new SdkSession({ definition, session: this, follows, handshake }));
  }

  /**
   * Drops the SDK's server, which is several times as large as everything else that an idle session holds. If no feature uses it, it knows
   * nothing but the handshake, which is replayed to the next one.
   */
  #fallAsleep(): void {
    if ((this.#lane?.keepsServer ?? true) || this.#sdk?.isReady !== true) return;
    void this.#sdk.close();
    this.#sdk = undefined;
    // Even an empty map takes memory.
    this.#inFlight = undefined;
  }
}

/**
 * One Streamable HTTP session of the revisions 2025-03-26 to 2025-11-25, written straight on Node's responses. The SDK's
 * own transport goes through web streams, which hide how much waits for a client, and leaves a cancelled call's response open.
 */
import type { JSONRPCMessage } from '@modelcontextprotocol/server';
import { type Channel, isRequest, noStreamForRequest } from '../../mcp/messages.ts';
import { clientNameOf } from '../../mcp/call-records.ts';
import { isReadRequest } from '../../mcp/plain-call.ts';
import type { Handshake } from '../../mcp/sdk-session.ts';
import { McpSession } from '../../mcp/session.ts';
import type { EndReason, Session, SessionConnection } from '../../sessions/registry.ts';
import { type RequestContext, senderOf } from '../context.ts';
import { writeAnswer } from '../direct-answer.ts';
import { requireClient } from '../errors.ts';
import type { EventStreams } from './event-streams.ts';
import { duplicateId, type ParsedBody } from './json-rpc.ts';
import { PendingAnswer } from './pending-answer.ts';
import { endedMeanwhile, isOver } from './session-opening.ts';
import type { SessionSettings } from './session-settings.ts';
import { SessionStreams, type SharedByStreams } from './session-streams.ts';

/** What a transport is made from. */
export interface StreamableTransportParts {
  readonly session: Session;
  /** What all sessions share. */
  readonly shared: SharedByStreams;
  /** What was agreed on with the client before, where the session goes on. */
  readonly handshake?: Handshake;
  /** Where what its client sets is shared with other processes; absent where nothing is. */
  readonly settings?: SessionSettings | undefined;
  /** The client's name and version, where it has just said them. */
  readonly client?: string | undefined;
  /** Whether the client is told the session's id, so that it can come back. Default: true. */
  readonly isNamed?: boolean;
}

/** The connection of one session. */
export class StreamableTransport implements SessionConnection, Channel {
  readonly session: Session;
  readonly mcp: McpSession;
  readonly #streams: EventStreams;
  /** What every response says, names and values in turn. */
  readonly headers: readonly string[];
  readonly #client: string | undefined;
  /** The streams that the client may come back for. */
  readonly #kept: SessionStreams | undefined;
  readonly #settings: SessionSettings | undefined;
  #endedBy: EndReason | undefined;

  constructor({ session, shared, handshake, settings, client, isNamed = true }: StreamableTransportParts) {
    const { definition, streams } = shared;
    this.session = session;
    this.#client = client ?? clientNameOf(handshake?.params?.['clientInfo']);
    this.#streams = streams;
    this.#settings = settings;
    this.#kept = isNamed ? new SessionStreams(this, shared) : undefined;
    this.headers = isNamed ? ['Mcp-Session-Id', session.id] : [];
    this.mcp = new McpSession({ definition, userId: session.userId, channel: this, handshake });
  }

  /** The revision agreed on. */
  get protocolVersion(): string | undefined {
    return this.mcp.protocolVersion;
  }

  /** How many requests are being worked on. */
  get callsInFlight(): number {
    return this.mcp.callsInFlight;
  }

  /**
   * Takes a POST; its response is written when the answers are there. An id may be in use on another response: nothing can cross.
   * @throws {HttpError} 400 when two requests of a batch have the same id, 404 or 503 when the session has ended while the POST waited for others, and where nobody
   * is there to read answers: no call must run that nothing would cancel
   */
  handlePost(ctx: RequestContext, { messages, isBatch }: ParsedBody): void {
    this.#requireLive();
    const requests = messages.filter(isReadRequest);
    requireDifferentIds(requests.map(({ message }) => message.id));
    if (requests.length > 0) requireClient(ctx);
    this.session.touch();
    const { headers } = this;
    const answer = { streams: this.#streams, headers, requests, isBatch, keeper: this.#kept };
    const reply = requests.length > 0 ? new PendingAnswer(ctx, answer) : undefined;
    const caller = senderOf(ctx, 'streamable-http', this.#client);
    for (const parsed of messages) {
      if (reply !== undefined && isReadRequest(parsed)) this.mcp.request(parsed, caller, reply);
      else this.mcp.note(parsed.message, caller);
    }
    if (reply === undefined) writeAnswer(ctx, 202, { text: '', headers });
    // After the answers it does nothing. Who may come back has not cancelled anything.
    else ctx.res.on('close', () => reply.isKept || this.mcp.cancelUndeliverable(reply));
  }

  /**
   * Takes a GET: the session's stream for what belongs to no request, or a stream that broke after the event with this id.
   * @throws {HttpError} 404 or 503 when the session has ended while the GET waited for others: nobody would end the stream
   */
  async handleGet(ctx: RequestContext, lastEventId: string | undefined): Promise<void> {
    this.#requireLive();
    if (lastEventId === undefined) this.#kept?.open(ctx);
    else await this.#kept?.resume(ctx, lastEventId);
  }

  /** Names the session's stream, the latest, to other processes. */
  get streamName(): string | undefined {
    return this.#kept?.ownName;
  }

  /** Ends the stream of this name, which another process has taken over. */
  endStream(name: string): void {
    this.#kept?.endOwn(name);
  }

  /** Ends what is open. */
  onEnd(reason: EndReason): void {
    this.#endedBy = reason;
    this.mcp.close();
    this.#kept?.end(reason);
    this.#settings?.leave(this, isOver(reason));
  }

  /** Hears that a request has been answered, or never will be. */
  onSettled(): void {
    this.session.noteSettled();
  }

  /** Sends what belongs to no request, on the GET stream. */
  async send(message: JSONRPCMessage): Promise<void> {
    if (this.#kept !== undefined) this.#kept.send(message);
    else if (isRequest(message)) throw noStreamForRequest();
  }

  /** Refuses what has waited for others while the session ended. */
  #requireLive(): void {
    if (this.#endedBy !== undefined) throw endedMeanwhile(this.#endedBy);
  }
}

/** Refuses a batch whose answers could not be told apart. */
function requireDifferentIds(ids: readonly (string | number)[]): void {
  if (ids.length > 1 && new Set(ids).size < ids.length) throw duplicateId();
}

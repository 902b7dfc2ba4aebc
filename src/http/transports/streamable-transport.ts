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
  /** The handshake of a session that is opened again, from its id. */
  readonly handshake?: Handshake;
  /** Shares what the client sets with other processes; absent when nothing is shared. */
  readonly settings?: SessionSettings | undefined;
  /** The client's name and version, if its `initialize` request has just come. */
  readonly client?: string | undefined;
  /** Whether responses carry the session's id, so that the client can use the session again. Default: true. */
  readonly isNamed?: boolean;
}

/** The connection of one session. */
export class StreamableTransport implements SessionConnection, Channel {
  readonly session: Session;
  readonly mcp: McpSession;
  readonly #streams: EventStreams;
  /** The headers of every response: names and values in turn. */
  readonly headers: readonly string[];
  readonly #client: string | undefined;
  /** The streams that the client may resume; absent when it does not learn the session's id. */
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

  /** The negotiated revision. */
  get protocolVersion(): string | undefined {
    return this.mcp.protocolVersion;
  }

  /** How many requests are in flight. */
  get callsInFlight(): number {
    return this.mcp.callsInFlight;
  }

  /**
   * Takes a POST; its response is written when the answers are there. Requests of different POSTs may have the same id: each is answered
   * on its own response.
   * @throws {HttpError} 400 when two requests of a batch have the same id; 404 or 503 when the session has ended while the POST waited for
   * other processes; also when the client has gone, because nothing would cancel its calls
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
    // Closing has no effect after the answers. A client that can resume the response does not cancel its requests by closing it.
    else ctx.res.on('close', () => reply.isKept || this.mcp.cancelUndeliverable(reply));
  }

  /**
   * Takes a GET: opens the session's own stream, for messages that belong to no request, or resumes a stream after the event with this id.
   * @throws {HttpError} 404 or 503 when the session has ended while the GET waited for other processes: nothing would end the stream; as
   * {@link SessionStreams.resume} does
   */
  async handleGet(ctx: RequestContext, lastEventId: string | undefined): Promise<void> {
    this.#requireLive();
    if (lastEventId === undefined) this.#kept?.open(ctx);
    else await this.#kept?.resume(ctx, lastEventId);
  }

  /** The name of the session's own stream, by which other processes know it; undefined before the first. */
  get streamName(): string | undefined {
    return this.#kept?.ownName;
  }

  /** Ends the session's own stream, if it has this name: another process has opened a newer one. */
  endStream(name: string): void {
    this.#kept?.endOwn(name);
  }

  /** Ends the MCP session and its own stream, and stops following its settings. */
  onEnd(reason: EndReason): void {
    this.#endedBy = reason;
    this.mcp.close();
    this.#kept?.end(reason);
    this.#settings?.leave(this, isOver(reason));
  }

  /** Called when a request has been answered, or never will be. */
  onSettled(): void {
    this.session.noteSettled();
  }

  /** Sends a message that belongs to no request of the client, on the session's own stream (GET). Rejects when a request cannot be sent. */
  async send(message: JSONRPCMessage): Promise<void> {
    if (this.#kept !== undefined) this.#kept.send(message);
    else if (isRequest(message)) throw noStreamForRequest();
  }

  /** Refuses a request whose session has ended while it waited for other processes. */
  #requireLive(): void {
    if (this.#endedBy !== undefined) throw endedMeanwhile(this.#endedBy);
  }
}

/** Refuses a batch in which two requests have the same id: their answers could not be told apart. */
function requireDifferentIds(ids: readonly (string | number)[]): void {
  if (ids.length > 1 && new Set(ids).size < ids.length) throw duplicateId();
}

/**
 * One Streamable HTTP session of the revisions 2025-03-26 to 2025-11-25, written straight on Node's responses. The SDK's
 * own transport goes through web streams, which hide how much waits for a client, and leaves a cancelled call's response open.
 */
import type { JSONRPCMessage } from '@modelcontextprotocol/server';
import { type Channel, isRequest, noStreamForRequest } from '../../mcp/messages.ts';
import { isReadRequest } from '../../mcp/plain-call.ts';
import type { Handshake } from '../../mcp/sdk-session.ts';
import type { McpDefinition } from '../../mcp/server.ts';
import { McpSession } from '../../mcp/session.ts';
import type { EndReason, Session, SessionConnection } from '../../sessions/registry.ts';
import { grantOf, type RequestContext, senderOf } from '../context.ts';
import { writeAnswer, writeHead } from '../direct-answer.ts';
import { EVENT_STREAM_HEADERS, type EventStream } from './event-stream.ts';
import type { EventStreams } from './event-streams.ts';
import { duplicateId, type ParsedBody } from './json-rpc.ts';
import { PendingAnswer } from './pending-answer.ts';

/** What a transport is made from. */
export interface StreamableTransportParts {
  readonly session: Session;
  readonly definition: McpDefinition;
  readonly streams: EventStreams;
  /** What was agreed on with the client before, where the session goes on. */
  readonly handshake?: Handshake;
  /** Whether answers tell the client the session's id. Default: true. */
  readonly isNamed?: boolean;
}

/** The connection of one session. */
export class StreamableTransport implements SessionConnection, Channel {
  readonly session: Session;
  readonly mcp: McpSession;
  readonly #streams: EventStreams;
  readonly #headers: readonly string[];
  #standalone: EventStream | undefined;

  constructor({ session, definition, streams, handshake, isNamed = true }: StreamableTransportParts) {
    this.session = session;
    this.#streams = streams;
    this.#headers = isNamed ? ['Mcp-Session-Id', session.id] : [];
    this.mcp = new McpSession({ definition, userId: session.userId, channel: this, handshake });
  }

  /** How many requests are being worked on. */
  get callsInFlight(): number {
    return this.mcp.callsInFlight;
  }

  /**
   * Takes a POST; its response is written when the answers are there. An id may be in use on another response: nothing can cross.
   * @throws {HttpError} 400 when two requests of a batch have the same id
   */
  handlePost(ctx: RequestContext, { messages, isBatch }: ParsedBody): void {
    const requests = messages.filter(isReadRequest);
    requireDifferentIds(requests.map(({ message }) => message.id));
    this.session.touch();
    const headers = this.#headers;
    const answer = { streams: this.#streams, headers, expected: requests.length, isBatch };
    const reply = requests.length > 0 ? new PendingAnswer(ctx, answer) : undefined;
    const caller = senderOf(ctx, 'streamable-http');
    for (const parsed of messages) {
      if (reply !== undefined && isReadRequest(parsed)) this.mcp.request(parsed, caller, reply);
      else this.mcp.note(parsed.message, caller);
    }
    if (reply === undefined) writeAnswer(ctx, 202, { text: '', headers });
    // After the answers it does nothing.
    else ctx.res.on('close', () => this.mcp.forsake(reply));
  }

  /** Takes a GET: the session's stream for what belongs to no request. It takes over from an earlier, maybe half-dead one. */
  handleGet(ctx: RequestContext): void {
    this.#standalone?.end();
    writeHead(ctx, 200, [...EVENT_STREAM_HEADERS, ...this.#headers]);
    ctx.res.flushHeaders();
    const stream = this.#streams.adopt(ctx.res, grantOf(ctx));
    stream.begin();
    this.#standalone = stream;
    const release = this.session.holdStream();
    ctx.res.once('close', () => {
      release();
      if (this.#standalone === stream) this.#standalone = undefined;
    });
  }

  /** Ends what is open, before a shutdown with word when to come back. */
  onEnd(reason: EndReason): void {
    this.mcp.close();
    this.#standalone?.end({ comeBackLater: reason === 'shutdown' });
  }

  /** Hears that a request has been answered, or never will be. */
  onSettled(): void {
    this.session.noteSettled();
  }

  /** Sends what belongs to no request, on the GET stream. A notification that nobody listens to is dropped. */
  async send(message: JSONRPCMessage): Promise<void> {
    if (this.#standalone !== undefined) this.#standalone.send(message);
    else if (isRequest(message)) throw noStreamForRequest();
  }
}

/** Refuses a batch whose answers could not be told apart. */
function requireDifferentIds(ids: readonly (string | number)[]): void {
  if (ids.length > 1 && new Set(ids).size < ids.length) throw duplicateId();
}

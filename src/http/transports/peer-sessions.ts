/** What processes of one server tell each other about sessions of Streamable HTTP: ends, cancellations, clients' answers, and who has the stream. */
import { setTimeout as delay } from 'node:timers/promises';
import type { JSONRPCMessage } from '@modelcontextprotocol/server';
import type { Logger } from 'pino';
import type { Grant } from '../../auth/verifier.ts';
import type { Caller } from '../../mcp/caller.ts';
import { cancelledIdOf, type RequestId } from '../../mcp/messages.ts';
import { askerOf } from '../../mcp/own-requests.ts';
import type { ReadMessage } from '../../mcp/plain-call.ts';
import type { Session, SessionRegistry } from '../../sessions/registry.ts';
import { PeerGoneError, type Peers } from '../../sessions/peers.ts';
import type { SessionIds } from '../../sessions/session-ids.ts';
import { type RequestContext, senderOf } from '../context.ts';
import { readCaller, type SpelledCaller, spellCaller, unreachable } from './peer-callers.ts';
import { SessionSettings, type SessionRef } from './session-settings.ts';
import { StreamableTransport } from './streamable-transport.ts';

/** What is needed to share sessions. */
export interface PeerSessionsParts {
  readonly peers: Peers;
  readonly registry: SessionRegistry;
  readonly sessionIds: SessionIds;
  /** The age at which sessions can no longer be resumed in any process. */
  readonly maxAgeMs: number;
  readonly isCurrent: (grant: Grant) => boolean;
  readonly log: Logger;
}

/** How many of the latest ends are repeated to the other processes when they are within reach again. */
const MAX_SAID = 1_000;

/** How many marks are read at once. */
const ASKED_AT_ONCE = 100;

/** The pause before marks that could not be read are read again. Milliseconds. */
const ASK_AGAIN_MS = 1_000;

/** Keeps the sessions of this process in step with the other processes. */
export class PeerSessions {
  readonly #parts: PeerSessionsParts;
  /** What clients have set in their sessions. */
  readonly settings: SessionSettings;
  /** The users of the sessions that were ended here, by session id. Some processes may not have heard of them. */
  readonly #ended = new Map<string, string>();

  constructor(parts: PeerSessionsParts) {
    this.#parts = parts;
    const { peers, registry, sessionIds, isCurrent } = parts;
    const find = ({ id, userId }: SessionRef): StreamableTransport | undefined => {
      const connection = registry.find(id, userId, 'streamable-http')?.connection;
      return connection instanceof StreamableTransport ? connection : undefined;
    };
    this.settings = new SessionSettings({ peers, maxAgeMs: parts.maxAgeMs, find });
    peers.onTell('session ended', (ref: SessionRef) => {
      sessionIds.noteEnded(ref.id);
      const transport = find(ref);
      if (transport !== undefined) registry.end(transport.session, 'closed');
    });
    peers.onReturn(() => {
      for (const [id, userId] of this.#ended) void this.#tellEnd({ id, userId });
      void this.#endMarked();
    });
    peers.onTell('cancelled', ({ requestId, ...ref }: SessionRef & { requestId: RequestId }) =>
      find(ref)?.mcp.cancel(requestId),
    );
    peers.onAsk(
      'answer',
      ({
        message,
        caller: spelled,
        ...ref
      }: SessionRef & { message: JSONRPCMessage; caller: SpelledCaller }) => {
        const caller = readCaller(spelled);
        // A token that was added or removed a moment ago: the processes will soon agree.
        if (!isCurrent(caller.grant)) return false;
        find(ref)?.mcp.note(message, caller);
        return true;
      },
    );
    peers.onAsk('stream taken', ({ stream, ...ref }: SessionRef & { stream: string }) => {
      find(ref)?.endStream(stream);
      return true;
    });
  }

  /** Whether a session has been ended in another process; false when that cannot be found out. */
  async isEnded(id: string): Promise<boolean> {
    const { peers, sessionIds } = this.#parts;
    if (peers.standing !== 'together') return false;
    const isEnded = await peers.marks.has(endOf(id)).catch(() => false);
    if (isEnded) sessionIds.noteEnded(id);
    return isEnded;
  }

  /** Ends a session in every process; those out of reach end it when they are back. Resolves when all within reach have been told. */
  async end({ id, userId }: Session): Promise<void> {
    const { peers, sessionIds } = this.#parts;
    sessionIds.noteEnded(id);
    if (peers.standing === 'alone') return;
    this.#ended.set(id, userId);
    const [oldest = ''] = this.#ended.keys();
    if (this.#ended.size > MAX_SAID) this.#ended.delete(oldest);
    await this.#tellEnd({ id, userId });
  }

  /** Marks a session as ended, and tells the other processes. */
  async #tellEnd(ref: SessionRef): Promise<void> {
    const { peers, maxAgeMs } = this.#parts;
    // The mark is for processes that do not have the session yet, or do not hear this. It is set first, so that a process which finds no
    // mark will hear this.
    const marked = peers.marks.set(endOf(ref.id), maxAgeMs);
    const told = peers.tell('session ended', ref);
    // If the mark cannot be set in time, this does not wait for the telling either.
    await marked.then(
      () => told,
      () => undefined,
    );
  }

  /** Ends the sessions that other processes ended while this one was out of reach. */
  async #endMarked(): Promise<void> {
    const { peers, registry } = this.#parts;
    const sessions = [...registry.all()].filter(({ kind }) => kind === 'streamable-http');
    while (sessions.length > 0) {
      const some = sessions.splice(0, ASKED_AT_ONCE);
      const marks = await Promise.allSettled(some.map(async ({ id }) => peers.marks.has(endOf(id))));
      for (const [index, session] of some.entries()) {
        const mark = marks[index];
        if (mark?.status !== 'fulfilled') sessions.push(session);
        else if (mark.value) this.#endHere(session);
      }
      if (marks.every(({ status }) => status === 'fulfilled')) continue;
      // This method is called again when the others are back.
      if (peers.standing !== 'together') return;
      await delay(ASK_AGAIN_MS, undefined, { ref: false });
    }
  }

  /** Ends a session of this process that has been ended elsewhere. */
  #endHere(session: Session): void {
    const { registry, sessionIds } = this.#parts;
    sessionIds.noteEnded(session.id);
    registry.end(session, 'closed');
  }

  /**
   * Forwards the parts of a POST that concern other processes: cancellations of requests that they work on, answers to their requests, and
   * settings of the session. Undefined when there is nothing to wait for, as with nearly every POST.
   * @throws {HttpError} 503 when the process that asked cannot be reached, or a setting cannot be shared
   */
  passOn(
    transport: StreamableTransport,
    messages: readonly ReadMessage[],
    ctx: RequestContext,
  ): Promise<unknown> | undefined {
    const { session, mcp } = transport;
    const { peers } = this.#parts;
    let passing: Promise<void>[] | undefined;
    for (const { message } of messages) {
      const cancelled = cancelledIdOf(message);
      if (cancelled !== undefined && !mcp.isWorkingOn(cancelled)) {
        void peers.tell('cancelled', { id: session.id, userId: session.userId, requestId: cancelled });
        this.#note('cancellation forwarded', ctx.state.requestId, session);
      }
      const asker = askerOf(message);
      if (asker !== undefined && asker !== peers.self)
        (passing ??= []).push(this.#passAnswer(asker, session, message, senderOf(ctx, 'streamable-http')));
      const setting = this.settings.note(transport, message, () => senderOf(ctx, 'streamable-http'));
      if (setting !== undefined) (passing ??= []).push(setting.catch(refuse));
    }
    return passing && Promise.all(passing);
  }

  /** Logs what was forwarded to another process. */
  #note(message: string, requestId: string, { userId }: Pick<Session, 'userId'>): void {
    const { peers, log } = this.#parts;
    if (peers.standing !== 'alone') log.info({ requestId, userId }, message);
  }

  /** Forwards a client's answer to the process whose request it answers. */
  async #passAnswer(asker: string, { id, userId }: Session, message: JSONRPCMessage, caller: Caller) {
    const body = { id, userId, message, caller: spellCaller(caller) };
    // If the process has gone, so has its request, and nobody waits for the answer.
    const isTaken = await this.#parts.peers.ask<boolean>(asker, 'answer', body).catch((error: unknown) => {
      if (error instanceof PeerGoneError) return undefined;
      throw unreachable(error);
    });
    if (isTaken === false) throw unreachable();
    if (isTaken === true) this.#note('answer forwarded', caller.requestId, { userId });
  }

  /** Claims a session's own stream for this process: the one that had it ends it, since a session has one such stream, the latest. */
  async claimStream({ id, userId }: Session, stream: string): Promise<void> {
    const { peers, maxAgeMs } = this.#parts;
    if (peers.standing !== 'together') return;
    try {
      const before = await peers.marks.swap(`stream ${id}`, `${peers.self} ${stream}`, maxAgeMs);
      const [holder, taken] = before?.split(' ') ?? [];
      if (holder === undefined || holder === peers.self) return;
      await peers.ask(holder, 'stream taken', { id, userId, stream: taken });
    } catch {
      // The other stream has ended with its process, or the client has two until one of them breaks.
    }
  }
}

/** Refuses a setting that could not be shared. */
function refuse(error: unknown): never {
  throw unreachable(error);
}

/** The mark of a session's end. */
function endOf(id: string): string {
  return `ended ${id}`;
}

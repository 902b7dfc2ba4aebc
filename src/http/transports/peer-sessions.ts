/** What the processes of one server tell each other of sessions of Streamable HTTP: an end, a cancel, an answer, and who has the stream. */
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
  /** After this time no process takes up a session any more. */
  readonly maxAgeMs: number;
  readonly isCurrent: (grant: Grant) => boolean;
  readonly log: Logger;
}

/** So many ended sessions are said again when the others are back, the latest. */
const MAX_SAID = 1_000;

/** So many sessions are asked about at once. */
const ASKED_AT_ONCE = 100;

/** What cannot be told at the moment is asked again after so long. Milliseconds. */
const ASK_AGAIN_MS = 1_000;

/** The sessions of this process, as others hear of them and ask for them. */
export class PeerSessions {
  readonly #parts: PeerSessionsParts;
  /** What clients have set in them. */
  readonly settings: SessionSettings;
  /** The sessions that have been ended here, by their ids, each with its user. Nobody knows who has heard of it. */
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
        // Its token came, or went, a moment ago: the two will soon agree.
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

  /** Whether a session has been ended in another process. When nobody can say, it has not. */
  async isEnded(id: string): Promise<boolean> {
    const { peers, sessionIds } = this.#parts;
    if (peers.standing !== 'together') return false;
    const isEnded = await peers.marks.has(endOf(id)).catch(() => false);
    if (isEnded) sessionIds.noteEnded(id);
    return isEnded;
  }

  /** Has a session end in every process, those too that are out of reach, as soon as they are back. Resolves when those that can be reached have been told. */
  async end({ id, userId }: Session): Promise<void> {
    const { peers, sessionIds } = this.#parts;
    sessionIds.noteEnded(id);
    if (peers.standing === 'alone') return;
    this.#ended.set(id, userId);
    const [oldest = ''] = this.#ended.keys();
    if (this.#ended.size > MAX_SAID) this.#ended.delete(oldest);
    await this.#tellEnd({ id, userId });
  }

  async #tellEnd(ref: SessionRef): Promise<void> {
    const { peers, maxAgeMs } = this.#parts;
    // Those that do not know the session yet look there, and those that do and have not heard. Before it is told: who looks and finds nothing, hears.
    const marked = peers.marks.set(endOf(ref.id), maxAgeMs);
    const told = peers.tell('session ended', ref);
    // Where no mark can be set in time, nobody waits for what is told either.
    await marked.then(
      () => told,
      () => undefined,
    );
  }

  /** Ends the sessions that were ended in other processes while what they told was not heard. */
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
      // When they are back, it begins anew.
      if (peers.standing !== 'together') return;
      await delay(ASK_AGAIN_MS, undefined, { ref: false });
    }
  }

  #endHere(session: Session): void {
    const { registry, sessionIds } = this.#parts;
    sessionIds.noteEnded(session.id);
    registry.end(session, 'closed');
  }

  /**
   * Passes on what of a POST is meant for other processes: cancels of what they work on, answers to what they ask, and what is set in the
   * session. Undefined where there is nothing to wait for, as with nearly every POST.
   * @throws {HttpError} 503 when the process that asked cannot be reached, or nobody could come to know what is set
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

  /** Leaves a line of what has gone to another process. */
  #note(message: string, requestId: string, { userId }: Pick<Session, 'userId'>): void {
    const { peers, log } = this.#parts;
    if (peers.standing !== 'alone') log.info({ requestId, userId }, message);
  }

  async #passAnswer(asker: string, { id, userId }: Session, message: JSONRPCMessage, caller: Caller) {
    const body = { id, userId, message, caller: spellCaller(caller) };
    // With the process its question is gone, and nobody waits for the answer.
    const isTaken = await this.#parts.peers.ask<boolean>(asker, 'answer', body).catch((error: unknown) => {
      if (error instanceof PeerGoneError) return undefined;
      throw unreachable(error);
    });
    if (isTaken === false) throw unreachable();
    if (isTaken === true) this.#note('answer forwarded', caller.requestId, { userId });
  }

  /** Has the process that had a session's stream end it: there is one, and the last that is asked for is it. */
  async claimStream({ id, userId }: Session, stream: string): Promise<void> {
    const { peers, maxAgeMs } = this.#parts;
    if (peers.standing !== 'together') return;
    try {
      const before = await peers.marks.swap(`stream ${id}`, `${peers.self} ${stream}`, maxAgeMs);
      const [holder, taken] = before?.split(' ') ?? [];
      if (holder === undefined || holder === peers.self) return;
      await peers.ask(holder, 'stream taken', { id, userId, stream: taken });
    } catch {
      // It has gone with its process, or its client has two until one of them breaks.
    }
  }
}

/** Refuses what others could not come to know. */
function refuse(error: unknown): never {
  throw unreachable(error);
}

/** The mark of a session's end. */
function endOf(id: string): string {
  return `ended ${id}`;
}

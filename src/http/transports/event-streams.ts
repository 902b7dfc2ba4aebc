/** The open streams of a server: heartbeats, a bound on what waits unsent, an end to those of revoked tokens. */
import type { ServerResponse } from 'node:http';
import type { Grant } from '../../auth/verifier.ts';
import { Agenda, type Slot } from './agenda.ts';
import { EventStream, UNSENT_SOFT_LIMIT } from './event-stream.ts';
import type { PendingAnswer } from './pending-answer.ts';
import { UnsentBudget } from './unsent-budget.ts';

/**
 * So many looks in a row may find that a client has read nothing: half a minute, as for plain answers. The system takes more only when a
 * third of what it holds is through, which may be a mebibyte: on a slow line nothing seems to move for many seconds. Looks and not
 * time: a busy server must not blame its clients.
 */
const STALLED_TICKS = 60;

/** How long clients wait before they come back after a shutdown: longer than a redeploy takes. Milliseconds. */
const COME_BACK_AFTER_MS = 8_000;

/**
 * How long clients wait before they come back with another token. Until a client of HTTP+SSE has come back its calls find no session: it
 * would take three seconds by itself, or as long as a shutdown before has told it. Milliseconds.
 */
const COME_BACK_ANEW_AFTER_MS = 1_000;

/** How streams are looked after. */
export interface StreamSettings {
  readonly keepAliveMs: number;
  /** When clients are to come back after a shutdown: sooner, where another instance is there meanwhile. Milliseconds. */
  readonly comeBackAfterMs?: (() => number) | undefined;
  /** Waiting bytes at which a stream is cut at once: room for a few answers of the largest size. */
  readonly unsentHardLimit: number;
  /** Waiting bytes of one user, on all streams together, and as many of plain answers. */
  readonly unsentPerUser: number;
  readonly now: () => number;
}

/** What is known of a client for which much waits. */
interface Unread {
  queuedBytes: number;
  stalledTicks: number;
}

/** The open streams of a server; somebody must call `tick` twice a second. */
export class EventStreams {
  /** What waits for all the clients of a user. */
  readonly unsent: UnsentBudget;
  readonly #settings: StreamSettings;
  readonly #streams = new Set<EventStream>();
  readonly #unread = new Map<EventStream, Unread>();
  readonly #heartbeats = new Agenda<EventStream>();
  readonly #silent = new Agenda<PendingAnswer>();

  constructor(settings: StreamSettings) {
    this.#settings = settings;
    this.unsent = new UnsentBudget(settings.unsentPerUser);
  }

  /** The time in milliseconds of a clock that nobody sets: the machine's may go back by an hour. */
  now(): number {
    return this.#settings.now();
  }

  /** How long clients are to wait before they come back after a shutdown. Milliseconds. */
  get comeBackAfterMs(): number {
    return this.#settings.comeBackAfterMs?.() ?? COME_BACK_AFTER_MS;
  }

  /** Takes over a response that something has made or will make a stream; it is kept until the response closes, if that is to come. */
  adopt(res: ServerResponse, grant: Grant): EventStream {
    const stream = new EventStream(res, grant, this);
    if (res.destroyed) return stream;
    this.#streams.add(stream);
    this.#scheduleHeartbeat(stream);
    res.on('close', () => {
      this.#streams.delete(stream);
      this.#unread.delete(stream);
      this.unsent.forgetStream(grant.user.userId, res);
      stream.slot?.delete(stream);
    });
    return stream;
  }

  /**
   * Calls `onSilence` when this much time has passed, and never later than after the keep-alive interval, unless the answer has been
   * deleted from the slot by then.
   */
  whenSilent(answer: PendingAnswer, afterMs: number = Infinity): Slot<PendingAnswer> {
    return this.#silent.add(answer, this.now() + Math.min(afterMs, this.#settings.keepAliveMs));
  }

  /** Looks after a stream for whose client much waits. */
  watch(stream: EventStream): void {
    if (!this.#unread.has(stream)) this.#unread.set(stream, { queuedBytes: -1, stalledTicks: 0 });
    if (stream.unsentBytes > this.#settings.unsentHardLimit) stream.cut();
  }

  /** Does what time demands: heartbeats, an end to streams that nobody reads, and streams where there was none before. */
  tick(): void {
    const nowMs = this.now();
    for (const [stream, unread] of this.#unread) this.#cutIfUnread(stream, unread);
    for (const stream of this.#heartbeats.takeDue(nowMs)) {
      // Comments, never named events: clients ignore them, whatever they do with events they do not know.
      if (nowMs - stream.lastWriteMs >= this.#settings.keepAliveMs) stream.write(': keepalive\n\n');
      if (stream.isOpen) this.#scheduleHeartbeat(stream);
    }
    for (const answer of this.#silent.takeDue(nowMs)) answer.onSilence();
  }

  /** Ends the streams whose grant is not current; a client that has signed in refreshes its token, and comes back. */
  endRevoked(isCurrent: (grant: Grant) => boolean): void {
    // Most streams share a few grants, or have each their own: either way each is asked about once.
    const verdicts = new Map<Grant, boolean>();
    for (const stream of this.#streams) {
      let verdict = verdicts.get(stream.grant);
      if (verdict === undefined) verdicts.set(stream.grant, (verdict = isCurrent(stream.grant)));
      if (!verdict) stream.end({ comeBackAfterMs: COME_BACK_ANEW_AFTER_MS });
    }
  }

  #scheduleHeartbeat(stream: EventStream): void {
    stream.slot = this.#heartbeats.add(stream, stream.lastWriteMs + this.#settings.keepAliveMs);
  }

  /** Cuts the connection of a client that does not read: what waits for it would only grow. */
  #cutIfUnread(stream: EventStream, unread: Unread): void {
    if (stream.unsentBytes <= UNSENT_SOFT_LIMIT) {
      this.#unread.delete(stream);
      return;
    }
    const { queuedBytes } = stream;
    unread.stalledTicks = queuedBytes === unread.queuedBytes ? unread.stalledTicks + 1 : 0;
    unread.queuedBytes = queuedBytes;
    if (unread.stalledTicks >= STALLED_TICKS) stream.cut();
  }
}

/** The open event streams of a server: their heartbeats, a bound on unsent data, and the end of those whose token was revoked. */
import type { ServerResponse } from 'node:http';
import type { Grant } from '../../auth/verifier.ts';
import { Agenda, type Slot } from './agenda.ts';
import { EventStream, UNSENT_SOFT_LIMIT } from './event-stream.ts';
import type { PendingAnswer } from './pending-answer.ts';
import { UnsentBudget } from './unsent-budget.ts';

/**
 * A stream is cut when this many checks in a row have found that its client read nothing: half a minute, as for plain answers. The system
 * takes more data only when a third of its buffer is through, which may be a mebibyte: on a slow line nothing seems to move for many
 * seconds. Checks are counted, not time: a busy server must not blame its clients.
 */
const STALLED_TICKS = 60;

/** How long clients are to wait before they reconnect after a shutdown: longer than a redeploy takes. Milliseconds. */
const COME_BACK_AFTER_MS = 8_000;

/**
 * How long clients are to wait before they reconnect with another token. Until a client of HTTP+SSE has reconnected, its calls find no
 * session: by itself it would wait three seconds, or as long as an earlier shutdown has told it. Milliseconds.
 */
const COME_BACK_ANEW_AFTER_MS = 1_000;

/** The settings of a server's streams. */
export interface StreamSettings {
  readonly keepAliveMs: number;
  /** How long clients are to wait after a shutdown, if not the default: less when other processes serve meanwhile. Milliseconds. */
  readonly comeBackAfterMs?: (() => number) | undefined;
  /** A stream with more unsent bytes than this is cut at once. That leaves room for a few of the largest answers. */
  readonly unsentHardLimit: number;
  /** The most unsent bytes of one user: so many on all streams together, and as many of plain answers. */
  readonly unsentPerUser: number;
  readonly now: () => number;
}

/** What the last check of a stream with much unsent data has found. */
interface Unread {
  queuedBytes: number;
  stalledTicks: number;
}

/** The open streams of a server; `tick` must be called twice a second. */
export class EventStreams {
  /** Bounds the unsent data of each user. */
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

  /** The time of a monotonic clock: the time of day may go back by an hour. Milliseconds. */
  now(): number {
    return this.#settings.now();
  }

  /** How long clients are to wait before they reconnect after a shutdown. Milliseconds. */
  get comeBackAfterMs(): number {
    return this.#settings.comeBackAfterMs?.() ?? COME_BACK_AFTER_MS;
  }

  /** Takes over a response that is an event stream, or will be one, until it closes. One that has closed already is not looked after. */
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

  /** Watches a stream with much unsent data; cuts it at once when that is above the hard limit. */
  watch(stream: EventStream): void {
    if (!this.#unread.has(stream)) this.#unread.set(stream, { queuedBytes: -1, stalledTicks: 0 });
    if (stream.unsentBytes > this.#settings.unsentHardLimit) stream.cut();
  }

  /** Does what is due: cuts streams that are not read, writes heartbeats, and makes streams of responses that have been silent too long. */
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

  /** Ends the streams whose grant is no longer current. A client that has signed in refreshes its token and reconnects. */
  endRevoked(isCurrent: (grant: Grant) => boolean): void {
    // Streams often share a grant: each grant is checked once.
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

  /** Cuts a stream whose client does not read: its unsent data would only grow. */
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

/**
 * The port behind streams that are taken up again: what was sent is kept for a while, and whoever comes back for it gets what it missed
 * and then what comes. `memory-event-store.ts` is what stands here by default; a store that several processes share keeps the same promises.
 */

/** Which stream of whom. Nothing is found by a part of it, so that an event's id is worth nothing in another session. */
export interface StreamKey {
  readonly userId: string;
  readonly sessionId: string;
  /** Names the stream in its session. */
  readonly stream: string;
}

/** An event as a reader takes it. */
export interface KeptEvent {
  /** The events of a stream are counted from 1. Counted, never dated: two of one millisecond have an order, too. */
  readonly number: number;
  /** A JSON-RPC message. */
  readonly json: string;
  /** Whether none comes after it. */
  readonly isLast: boolean;
}

/** An event as it is added. */
export interface NewEvent {
  readonly json: string;
  /** Whether the client may do without it, as without a notification: where there is no room, it goes first. */
  readonly isExpendable?: boolean;
  readonly isLast?: boolean;
}

/** Who reads a stream, at most one at a time: a response. */
export interface EventReader {
  /** Takes an event: each once, in their order. */
  take(event: KeptEvent): void;
  /** Hears that nothing more comes to it, and after how many milliseconds it may be asked for again, where that has been said. */
  leave(comeBackAfterMs?: number): void;
  /** Hears that what would have come is lost, with its process, and what else has been said on the stream, as far as it is known. */
  lose(said: readonly KeptEvent[]): void;
}

/** What a stream is begun with. */
export interface LogOptions {
  /** Who reads it first; who comes later takes over. */
  readonly reader?: EventReader | undefined;
  /** The scopes without which nobody may read it. */
  readonly scopes?: readonly string[];
  /** Whether no event is its last: it is kept as long as somebody reads it, and a while longer. */
  readonly isEndless?: boolean;
}

/**
 * The end of a stream where events are added. Nothing here is waited for: a store that is elsewhere does it behind, in order, and lets
 * the reader leave when the last event is kept. What is added after that, or after `end`, is dropped.
 */
export interface EventLog {
  /** Adds an event, which the reader takes. */
  append(event: NewEvent): void;
  /** Hears that a reader's client has gone. */
  release(reader: EventReader): void;
  /** Sends the reader away, to come back after so many milliseconds. */
  dismiss(comeBackAfterMs: number): void;
  /** Says that no event will come any more, though none was the last. */
  end(): void;
  /** Sends the reader away likewise, and forgets the stream: whoever comes back for it begins another. */
  abandon(comeBackAfterMs: number): void;
}

/** Who wants to read on. */
export interface ResumeOptions {
  /** The number of the event that it has seen last; 0 for none. */
  readonly after: number;
  readonly reader: EventReader;
  /** Whether it has all these scopes. */
  readonly mayRead: (scopes: readonly string[]) => boolean;
}

/** What becomes of who wants to read on. */
export type Resumption =
  /** It is the reader: what it missed has gone to it, and what comes will. */
  | { readonly outcome: 'resumed'; readonly missed: number; readonly log: Pick<EventLog, 'release'> }
  /** It has seen everything, and nothing more will come. */
  | { readonly outcome: 'ended' }
  /** Nothing is kept, or not what it would need. */
  | { readonly outcome: 'lost' }
  /** There has not been such an event. */
  | { readonly outcome: 'unknown_event' }
  /** It lacks a scope. */
  | { readonly outcome: 'forbidden' };

/** Keeps the events of streams. */
export interface EventStore {
  /** Begins a stream. */
  begin(key: StreamKey, options?: LogOptions): EventLog;
  /** Hands a stream to another reader, wherever the one before it is. A promise is there for stores that are elsewhere. */
  resume(key: StreamKey, options: ResumeOptions): Resumption | Promise<Resumption>;
  /** Forgets all streams of a session, which has ended. */
  forget(session: Omit<StreamKey, 'stream'>): void;
  /** Sends those away who read here what another process writes, or there what a session has to say here: this one goes. */
  dismiss(comeBackAfterMs: number): void;
  /** Does what time demands; to be called every now and then. */
  tick(): void;
}

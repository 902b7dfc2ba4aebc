/**
 * The port behind resumable streams: what was sent is kept for a while, and a client that resumes a stream gets what it missed and then
 * what follows. The default is `memory-event-store.ts`; a store that several processes share keeps the same promises.
 */

/** Identifies a stream of a session of a user. All three must match, so that an event id is worth nothing in another session. */
export interface StreamKey {
  readonly userId: string;
  readonly sessionId: string;
  /** Names the stream in its session. */
  readonly stream: string;
}

/** An event as readers get it. */
export interface KeptEvent {
  /** Counts the events of a stream from 1. A number, not a time: two events of one millisecond have an order, too. */
  readonly number: number;
  /** A JSON-RPC message. */
  readonly json: string;
  /** Whether it is the last of its stream. */
  readonly isLast: boolean;
}

/** An event as it is added. */
export interface NewEvent {
  readonly json: string;
  /** Whether the client can do without it, as without a notification: where there is no room, it is dropped first. */
  readonly isExpendable?: boolean;
  readonly isLast?: boolean;
}

/** The reader of a stream, at most one at a time: a response. */
export interface EventReader {
  /** Takes an event: each once, in order. */
  take(event: KeptEvent): void;
  /** Called when nothing more will come to this reader, with the milliseconds after which its client may reconnect, if it may. */
  leave(comeBackAfterMs?: number): void;
  /** Called when the rest of the stream is lost with its process; `said` are the events that are known. */
  lose(said: readonly KeptEvent[]): void;
}

/** What a stream is begun with. */
export interface LogOptions {
  /** The first reader; a later one takes over. */
  readonly reader?: EventReader | undefined;
  /** The scopes without which nobody may read it. */
  readonly scopes?: readonly string[];
  /** Whether no event is its last: it is kept while it has a reader, and a while longer. */
  readonly isEndless?: boolean;
}

/**
 * The writing end of a stream. Nothing here is waited for: a store that is elsewhere works in the background, in order, and lets the
 * reader leave when the last event is kept. What is added after that, or after `end`, is dropped.
 */
export interface EventLog {
  /** Adds an event, which the reader takes. */
  append(event: NewEvent): void;
  /** Called when the client of a reader has gone. */
  release(reader: EventReader): void;
  /** Sends the reader away; its client is to reconnect after so many milliseconds. */
  dismiss(comeBackAfterMs: number): void;
  /** Ends the stream without an event that is its last. */
  end(): void;
  /** Sends the reader away likewise, and forgets the stream: its client begins another one. */
  abandon(comeBackAfterMs: number): void;
}

/** What is needed to resume a stream. */
export interface ResumeOptions {
  /** The number of the last event that the client has seen; 0 for none. */
  readonly after: number;
  readonly reader: EventReader;
  /** Whether the caller has all these scopes. */
  readonly mayRead: (scopes: readonly string[]) => boolean;
}

/** The outcome of resuming a stream. */
export type Resumption =
  /** The new reader reads the stream: it has got what it missed, and will get what follows. */
  | { readonly outcome: 'resumed'; readonly missed: number; readonly log: Pick<EventLog, 'release'> }
  /** The stream has ended, and the client has seen everything. */
  | { readonly outcome: 'ended' }
  /** The stream is not kept, or a vital event of it was dropped. */
  | { readonly outcome: 'lost' }
  /** The stream has had no such event. */
  | { readonly outcome: 'unknown_event' }
  /** The caller lacks a scope. */
  | { readonly outcome: 'forbidden' };

/** Keeps the events of streams. */
export interface EventStore {
  /** Begins a stream. */
  begin(key: StreamKey, options?: LogOptions): EventLog;
  /** Hands a stream to another reader, in whichever process the reader before it is. A store that asks other processes returns a promise. */
  resume(key: StreamKey, options: ResumeOptions): Resumption | Promise<Resumption>;
  /** Forgets all streams of a session, which has ended. */
  forget(session: Omit<StreamKey, 'stream'>): void;
  /** At a shutdown: sends away the readers here of streams that other processes write, and those elsewhere of sessions' own streams here. */
  dismiss(comeBackAfterMs: number): void;
  /** Drops and renews what is due; to be called from time to time. */
  tick(): void;
}

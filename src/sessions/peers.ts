/** How the processes of one server talk to each other: the port, and its implementation for a process that is alone. */
import { randomBytes } from 'node:crypto';

/** The other processes of this server, and the values that all of them share. The bodies of messages are sent as JSON. */
export interface Peers {
  /** The name of this process among the others. No other process ever has it. */
  readonly self: string;
  /** Whether the others can be reached. `alone`: there are none; `unreached`: not once since the start; `cut-off`: not at the moment. */
  readonly standing: 'alone' | 'unreached' | 'together' | 'cut-off';
  /** Whether messages reach the others, but nothing can be kept for them: a Redis that is full, or a replica, refuses that. */
  readonly isRefused: boolean;
  /** How many processes there were when they were last counted, this one included. */
  readonly count: number;
  /**
   * Asks one process a question, which it handles at most once.
   * @throws {PeerGoneError} when there is no such process any more
   * @throws {PeersUnreachableError} when no answer has come in time; the question may be handled all the same
   */
  ask<Answer>(peer: string, kind: string, body: unknown): Promise<Answer>;
  /**
   * Tells something to all other processes that can be reached; each hears it at most once. Resolves when it is on its way to all of them,
   * or cannot be sent: a client that is answered after that can reach a process that has not heard it yet only with a request of the same
   * moment. When that takes too long it resolves all the same, and they hear it late.
   */
  tell(kind: string, body: unknown): Promise<void>;
  /** Sets the handler of a kind of questions. Only processes of this server can have made their bodies. */
  onAsk(kind: string, answer: (body: never) => unknown): void;
  /** Sets the handler of a kind of messages that other processes tell, likewise. */
  onTell(kind: string, hear: (body: never) => void): void;
  /** Adds a listener for when the others are back after they were out of reach: what they told meanwhile was not heard. */
  onReturn(listener: () => void): void;
  /** Adds a listener for when the others have been out of reach for so long that they take this process for gone. */
  onCutOff(listener: () => void): void;
  readonly marks: SharedMarks;
  readonly records: SharedRecords;
  /** Leaves the other processes: for them this one has gone. */
  close(): Promise<void>;
}

/** Marks: small values that every process can read, and that expire. The methods reject with {@link PeersUnreachableError}. */
export interface SharedMarks {
  set(name: string, lifeMs: number): Promise<void>;
  has(name: string): Promise<boolean>;
  /** Sets the value of a name; resolves to the value before, if there was one. */
  swap(name: string, value: string, lifeMs: number): Promise<string | undefined>;
}

/** The values of fields by their names; undefined removes a field. */
export type RecordFields = Readonly<Record<string, string | undefined>>;

/** Records: named sets of fields that every process can read, and that expire as a whole. Methods reject with {@link PeersUnreachableError}. */
export interface SharedRecords {
  /** Sets fields, removes those that are undefined, and has the record live for `lifeMs` from now on. Writes take effect in their order. */
  write(name: string, fields: RecordFields, lifeMs: number): Promise<void>;
  /** Writes likewise, in the background: that costs less, and a write that fails is not noticed. */
  note(name: string, fields: RecordFields, lifeMs: number): void;
  /** All fields of a record; none when there is no such record. */
  read(name: string): Promise<ReadonlyMap<string, string>>;
  remove(name: string): Promise<void>;
}

/** The error when a process has ended. */
export class PeerGoneError extends Error {
  override readonly name = 'PeerGoneError';
}

/** The error when other processes cannot be reached at the moment. */
export class PeersUnreachableError extends Error {
  override readonly name = 'PeersUnreachableError';
}

/** Makes a name that nothing else has, in any process. */
export function createUniqueName(): string {
  return randomBytes(9).toString('base64url');
}

/** Makes the port of a process that is alone: whichever process it asks has gone, and it keeps no marks and records, which only others read. */
export function createNoPeers(): Peers {
  return {
    self: createUniqueName(),
    standing: 'alone',
    isRefused: false,
    count: 1,
    ask: async () => {
      throw new PeerGoneError('There are no other processes.');
    },
    tell: async () => undefined,
    onAsk: () => undefined,
    onTell: () => undefined,
    onReturn: () => undefined,
    onCutOff: () => undefined,
    marks: { set: async () => undefined, has: async () => false, swap: async () => undefined },
    records: {
      write: async () => undefined,
      note: () => undefined,
      read: async () => new Map<string, string>(),
      remove: async () => undefined,
    },
    close: async () => undefined,
  };
}

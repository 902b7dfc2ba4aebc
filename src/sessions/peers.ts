/** How the processes of one server talk to each other: the port, and its twin for a process that is alone. */
import { randomBytes } from 'node:crypto';

/** The other processes of this server, and what all of them note down together. What is said and noted is JSON. */
export interface Peers {
  /** Names this process to the others, and no other one ever. */
  readonly self: string;
  /** `unreached`: not once since the start; `cut-off`: not at the moment. */
  readonly standing: 'alone' | 'unreached' | 'together' | 'cut-off';
  /** How many processes there are, this one among them, as was last seen. */
  readonly count: number;
  /**
   * Asks one process. The question is dealt with at most once.
   * @throws {PeerGoneError} when there is no such process any more
   * @throws {PeersUnreachableError} when no answer has come in time; it may be dealt with all the same
   */
  ask<Answer>(peer: string, kind: string, body: unknown): Promise<Answer>;
  /**
   * Tells all others, as far as they can be reached; whoever hears it, once. Resolves when it is on its way to each of them, or to none:
   * a client that is answered after that can only meet one that has not heard yet with a request of the same moment. Where that takes too
   * long it resolves all the same, and they hear it late.
   */
  tell(kind: string, body: unknown): Promise<void>;
  /** Answers questions of a kind, whose bodies only processes of this server can have made. */
  onAsk(kind: string, answer: (body: never) => unknown): void;
  /** Hears what others tell, likewise. */
  onTell(kind: string, hear: (body: never) => void): void;
  /** Called when the others have been out of reach and are back: what they told meanwhile was not heard. */
  onReturn(listener: () => void): void;
  /** Called when the others have been out of reach for so long that they take this process for gone. */
  onCutOff(listener: () => void): void;
  readonly marks: SharedMarks;
  readonly records: SharedRecords;
  /** Takes leave of the others. */
  close(): Promise<void>;
}

/** Small facts that every process sees, and that are forgotten after a while. Rejects with {@link PeersUnreachableError}. */
export interface SharedMarks {
  set(name: string, lifeMs: number): Promise<void>;
  has(name: string): Promise<boolean>;
  /** Gives a name another value, and says what it was. */
  swap(name: string, value: string, lifeMs: number): Promise<string | undefined>;
}

/** Values by their names; undefined where one is taken out. */
export type RecordFields = Readonly<Record<string, string | undefined>>;

/** Fields under a name, which every process can read, and which are forgotten together. Rejects with {@link PeersUnreachableError}. */
export interface SharedRecords {
  /** Sets fields, takes out those that are undefined, and has the record live for so long from here on. What is written first is there first. */
  write(name: string, fields: RecordFields, lifeMs: number): Promise<void>;
  /** Writes likewise, without anybody who waits for it: it costs less, and what cannot be written is not. */
  note(name: string, fields: RecordFields, lifeMs: number): void;
  /** All fields; none where there is no such record. */
  read(name: string): Promise<ReadonlyMap<string, string>>;
  remove(name: string): Promise<void>;
}

/** A process that has ended. */
export class PeerGoneError extends Error {
  override readonly name = 'PeerGoneError';
}

/** Others cannot be reached at the moment. */
export class PeersUnreachableError extends Error {
  override readonly name = 'PeersUnreachableError';
}

/** A name that nothing else has, in whichever process. */
export function createUniqueName(): string {
  return randomBytes(9).toString('base64url');
}

/** Nobody else: whoever is asked has gone, and what only others would look at need not be noted. */
export function createNoPeers(): Peers {
  return {
    self: createUniqueName(),
    standing: 'alone',
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

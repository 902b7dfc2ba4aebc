/** Several processes of one server in one test. Messages between them take a turn of the event loop, and each can be killed or cut off. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  createUniqueName,
  PeerGoneError,
  type Peers,
  PeersUnreachableError,
  type RecordFields,
} from '../../src/sessions/peers.ts';

/** A process of the group. */
export interface TestPeer extends Peers {
  /** Ends it without notice. */
  kill(): void;
  /** Cuts it off from the others and from what is shared, or connects it again. */
  cutOff(isCutOff: boolean): void;
  /** Sets whether it and the others understand each other's messages, which two versions may not. */
  isUnderstood(isUnderstood: boolean): void;
}

/** The processes, and what they share. */
export interface PeerGroup {
  join(): TestPeer;
  /** The records, as `NAME FIELD` for each field. */
  recorded(): string[];
  /** Clears everything that is shared. */
  flush(): void;
}

type Handler = (body: unknown) => unknown;

/** Makes a group without members. */
export function createPeerGroup(): PeerGroup {
  const members = new Map<
    string,
    { readonly answers: Map<string, Handler>; isReachable: boolean; isUnderstood: boolean }
  >();
  const hearers: { readonly self: string; readonly kind: string; readonly hear: Handler }[] = [];
  const marks = new Map<string, string>();
  const records = new Map<string, Map<string, string>>();
  const write = (name: string, fields: RecordFields): void => {
    const record = records.get(name) ?? new Map<string, string>();
    records.set(name, record);
    for (const [field, value] of Object.entries(fields))
      if (value === undefined) record.delete(field);
      else record.set(field, value);
  };
  return {
    recorded: () =>
      [...records].flatMap(([name, fields]) => [...fields.keys()].map((key) => `${name} ${key}`)),
    flush: () => [marks, records].forEach((shared) => shared.clear()),
    join() {
      const self = createUniqueName();
      const member = { answers: new Map<string, Handler>(), isReachable: true, isUnderstood: true };
      members.set(self, member);
      const returnListeners: (() => void)[] = [];
      const shared = async <Result>(action: () => Result): Promise<Result> => {
        if (!member.isReachable) throw new PeersUnreachableError('cut off');
        const result = action();
        await nextTurn();
        return result;
      };
      return {
        self,
        get count() {
          return members.size;
        },
        isRefused: false,
        get standing() {
          return member.isReachable ? 'together' : 'cut-off';
        },
        async ask<Answer>(peer: string, kind: string, body: unknown) {
          // As over a network, nothing is shared by reference.
          const spelled = JSON.stringify(body);
          await nextTurn();
          const other = members.get(peer);
          if (!member.isReachable || other?.isReachable === false) throw new PeersUnreachableError('cut off');
          if (!member.isUnderstood || other?.isUnderstood === false)
            throw new PeersUnreachableError('not understood');
          const answer = other?.answers.get(kind);
          if (answer === undefined) throw new PeerGoneError('gone');
          const result = JSON.stringify(await answer(JSON.parse(spelled)));
          await nextTurn();
          return JSON.parse(result) as Answer;
        },
        async tell(kind, body) {
          await nextTurn();
          for (const { self: other, kind: heard, hear } of hearers)
            if (other !== self && heard === kind && member.isReachable) hear(body);
        },
        onAsk: (kind, answer) => void member.answers.set(kind, answer as Handler),
        onTell: (kind, hear) => void hearers.push({ self, kind, hear: hear as Handler }),
        onReturn: (listener) => void returnListeners.push(listener),
        onCutOff: () => undefined,
        marks: {
          set: async (name) => shared(() => void marks.set(name, '1')),
          has: async (name) => shared(() => marks.has(name)),
          swap: async (name, value) =>
            shared(() => {
              const before = marks.get(name);
              marks.set(name, value);
              return before;
            }),
        },
        records: {
          write: async (name, fields) => shared(() => write(name, fields)),
          note: (name, fields) => void (member.isReachable && write(name, fields)),
          read: async (name) => shared(() => new Map(records.get(name))),
          remove: async (name) => shared(() => void records.delete(name)),
        },
        close: async () => undefined,
        kill: () => void members.delete(self),
        isUnderstood: (isUnderstood) => void Object.assign(member, { isUnderstood }),
        cutOff(isCutOff) {
          member.isReachable = !isCutOff;
          if (!isCutOff) for (const listener of returnListeners) listener();
        },
      };
    },
  };
}

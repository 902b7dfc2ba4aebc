/** Receives what other processes send to this one: each envelope is handled once, and a repeated one gets the same answers again. */
import type { Logger } from 'pino';
import type { Answer, Message, Opened, Question } from './envelopes.ts';
import { spell } from './outbox.ts';

/** Answers the body of a question, or takes the body of what was told to all. */
export type Handler = (body: unknown) => unknown;

/** What the inbox is made from. */
export interface InboxParts {
  readonly answers: ReadonlyMap<string, Handler>;
  readonly hearers: ReadonlyMap<string, Handler>;
  readonly log: Logger;
  /** Whether answers can be sent. */
  readonly canAnswer: () => boolean;
  /** Sends an answer to a process. */
  readonly answer: (peer: string, spelled: string) => void;
  /** Takes the answer to a question of this process. */
  readonly settle: (answer: Answer) => void;
}

/** The inbox of a process. */
export interface Inbox {
  /** Takes an envelope that was sent to this process. */
  take(envelope: Opened): void;
  /** Takes an envelope that was told to all. */
  hear(envelope: Opened): void;
}

/** How many of the latest messages are remembered: many more than come in the time in which one may be repeated. */
const MAX_KNOWN = 10_000;

/** Makes the inbox of a process. */
export function createInbox(parts: InboxParts): Inbox {
  const { answers, hearers, log, canAnswer, answer: send, settle } = parts;
  const know = createMemory();

  /** Answers a question, at once or later. It gets an answer also when it has no handler, or its handler fails. */
  const deal = ({ number: to, kind, body }: Question, done: (spelled: string) => void): void => {
    const handler = answers.get(kind);
    const finish = (value: unknown): void => done(spell({ to, found: { value } }));
    const fail = (error: unknown): void => {
      log.error({ err: error }, 'a request from another process failed');
      done(spell({ to }));
    };
    if (handler === undefined) return done(spell({ to }));
    try {
      const value = handler(body);
      // Most handlers answer at once: those do not wait for a turn of their own.
      if (value instanceof Promise) value.then(finish, fail);
      else finish(value);
    } catch (error) {
      fail(error);
    }
  };
  return {
    take({ id, from, isLate, messages = [] }) {
      const questions: Question[] = [];
      for (const message of messages) {
        if (isAnswer(message)) settle(message);
        else questions.push(message);
      }
      if (questions.length === 0) return;
      const before = know.recall(id);
      if (before !== undefined) return before.forEach((spelled) => send(from, spelled));
      // Questions that cannot be answered in time, or at the moment, are not handled: the process that asked reports that they were not.
      if (isLate || !canAnswer()) return;
      const given = know.note(id, questions.length);
      for (const question of questions)
        deal(question, (spelled) => {
          given.push(spelled);
          send(from, spelled);
        });
    },
    hear({ id, isLate, messages = [] }) {
      if (isLate || know.recall(id) !== undefined) return;
      know.note(id, messages.length);
      for (const message of messages) {
        if (isAnswer(message)) continue;
        try {
          hearers.get(message.kind)?.(message.body);
        } catch (error) {
          log.error({ err: error }, 'a message from another process could not be handled');
        }
      }
    },
  };
}

/** Whether a message is an answer. */
function isAnswer(message: Message): message is Answer {
  return 'to' in message;
}

/** Remembers envelopes by their ids, and what has been answered to each. */
function createMemory() {
  const known = new Map<string, { readonly size: number; readonly given: string[] }>();
  let messages = 0;
  return {
    /** The answers so far; undefined when the envelope is not known. */
    recall: (id: string): readonly string[] | undefined => known.get(id)?.given,
    /** Notes an envelope. The caller adds its answers to the array that is returned. */
    note(id: string, size: number): string[] {
      const given: string[] = [];
      known.set(id, { size, given });
      messages += size;
      for (const [oldest, { size: less }] of known) {
        if (messages <= MAX_KNOWN) break;
        known.delete(oldest);
        messages -= less;
      }
      return given;
    },
  };
}

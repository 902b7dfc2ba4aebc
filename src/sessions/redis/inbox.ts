/** What other processes send to this one: each envelope is dealt with once, and a repeat gets what the first one got. */
import type { Logger } from 'pino';
import type { Answer, Message, Opened, Question } from './envelopes.ts';
import { spell } from './outbox.ts';

/** Deals with the body of a question, or hears news. */
export type Handler = (body: unknown) => unknown;

/** What it is dealt with by. */
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

/** Takes what comes. */
export interface Inbox {
  /** What was sent to this process. */
  take(envelope: Opened): void;
  /** What was told to all. */
  hear(envelope: Opened): void;
}

/** So many messages are known again, the latest: many more than come in the time in which one may be repeated. */
const MAX_KNOWN = 10_000;

/** Makes the inbox of a process. */
export function createInbox(parts: InboxParts): Inbox {
  const { answers, hearers, log, canAnswer, answer: send, settle } = parts;
  const know = createMemory();

  /** Answers a question, at once or later; whatever is wrong with it, something is. */
  const deal = ({ number: to, kind, body }: Question, done: (spelled: string) => void): void => {
    const handler = answers.get(kind);
    const finish = (value: unknown): void => done(spell({ to, found: { value } }));
    const fail = (error: unknown): void => {
      log.error({ err: error }, 'a question of another process failed');
      done(spell({ to }));
    };
    if (handler === undefined) return done(spell({ to }));
    try {
      const value = handler(body);
      // Most are answered at once, without a turn for each.
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
      // What cannot be answered in time, or at the moment, is not dealt with: who asked says that it was not.
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
          log.error({ err: error }, 'what another process told failed');
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
    /** What has been answered so far; undefined where the envelope is not known. */
    recall: (id: string): readonly string[] | undefined => known.get(id)?.given,
    /** Notes an envelope; its answers are added to what is returned. */
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

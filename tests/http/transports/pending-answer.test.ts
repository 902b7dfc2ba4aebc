/** An answer that is not there yet waits on the agenda to become a stream, until it is there. */
import { expect, test } from '@jest/globals';
import { ANONYMOUS } from '../../../src/auth/user.ts';
import type { RequestContext } from '../../../src/http/context.ts';
import { EventStreams } from '../../../src/http/transports/event-streams.ts';
import { PendingAnswer } from '../../../src/http/transports/pending-answer.ts';

/** A response that accepts everything. */
const RESPONSE = {
  headersSent: false,
  destroyed: false,
  writeHead: () => undefined,
  write: () => true,
  end: () => undefined,
};

/** A request of a client that accepts JSON and streams. */
function contextOf(res: object): RequestContext {
  const headers = { accept: 'application/json, text/event-stream' };
  return { req: { headers }, res, state: { grant: { user: ANONYMOUS } } } as unknown as RequestContext;
}

test('an answered request leaves no entry on the agenda', () => {
  const streams = new EventStreams({
    keepAliveMs: 1_000,
    unsentHardLimit: 1e9,
    unsentPerUser: 1e9,
    now: () => 0,
  });
  const slots: ReadonlySet<PendingAnswer>[] = [];
  const whenSilent = streams.whenSilent.bind(streams);
  streams.whenSilent = (...args) => {
    const slot = whenSilent(...args);
    slots.push(slot);
    return slot;
  };

  const answer = new PendingAnswer(contextOf(RESPONSE), { streams });
  const before = slots.map(({ size }) => size);
  answer.settle('{}');

  expect(before).toEqual([1]);
  expect(slots.map(({ size }) => size)).toEqual([0]);
});

test('unread answers count in bytes, not characters, towards what may wait for a user', () => {
  const streams = new EventStreams({
    keepAliveMs: 1_000,
    unsentHardLimit: 1e9,
    unsentPerUser: 200_000,
    now: () => 0,
  });
  const written: string[] = [];
  const note = (text: unknown): void => void written.push(String(text));
  const long = JSON.stringify('€'.repeat(60_000));
  // Some 180 kB, of which the operating system takes nothing.
  const res = {
    ...RESPONSE,
    writableLength: Buffer.byteLength(long),
    write: note,
    end: note,
    on: () => undefined,
  };

  new PendingAnswer(contextOf({ ...res }), { streams }).settle(long);
  new PendingAnswer(contextOf({ ...res }), { streams }).settle(long);

  expect(written[0]).toBe(long);
  expect(written[1]).toContain('answers_unread');
});

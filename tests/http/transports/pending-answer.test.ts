/** An answer that is not there yet: it waits on the agenda to become a stream, and no longer than until it is there. */
import { expect, test } from '@jest/globals';
import { ANONYMOUS } from '../../../src/auth/user.ts';
import type { RequestContext } from '../../../src/http/context.ts';
import { EventStreams } from '../../../src/http/transports/event-streams.ts';
import { PendingAnswer } from '../../../src/http/transports/pending-answer.ts';

/** A response that takes everything. */
const RESPONSE = {
  headersSent: false,
  destroyed: false,
  writeHead: () => undefined,
  write: () => true,
  end: () => undefined,
};

test('an answered request leaves nothing on the agenda', () => {
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
  const headers = { accept: 'application/json, text/event-stream' };
  const ctx = {
    req: { headers },
    res: RESPONSE,
    state: { grant: { user: ANONYMOUS } },
  } as unknown as RequestContext;

  const answer = new PendingAnswer(ctx, { streams });
  const before = slots.map(({ size }) => size);
  answer.settle('{}');

  expect(before).toEqual([1]);
  expect(slots.map(({ size }) => size)).toEqual([0]);
});

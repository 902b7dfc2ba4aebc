/** What a refusal is made of, besides what it answers. */
import { expect, test } from '@jest/globals';
import type { RequestContext } from '../../src/http/context.ts';
import { HttpError, requireClient } from '../../src/http/errors.ts';

/** A request whose client has gone, or not. */
const contextOf = (destroyed: boolean): RequestContext =>
  ({ res: { destroyed } }) as unknown as RequestContext;

test('a refusal notes no stack of its own, and leaves other errors theirs', () => {
  const before = Error.stackTraceLimit;

  const refusal = new HttpError(400, 'wrong', 'Wrong.');

  expect(Error.stackTraceLimit).toBe(before);
  expect(refusal.stack).not.toContain('\n    at ');
  expect(new Error('other').stack).toContain('\n    at ');
});

test('nothing is opened for a client that has gone while it was waited', () => {
  expect(() => requireClient(contextOf(true))).toThrow(expect.objectContaining({ code: 'client_gone' }));
  expect(() => requireClient(contextOf(false))).not.toThrow();
});

/** What creating a refusal costs, and when a request whose client has gone is refused. */
import { expect, test } from '@jest/globals';
import type { RequestContext } from '../../src/http/context.ts';
import { HttpError, requireClient } from '../../src/http/errors.ts';

/** A request whose client has disconnected or not. */
const contextOf = (destroyed: boolean): RequestContext =>
  ({ res: { destroyed } }) as unknown as RequestContext;

test('an HttpError captures no stack, and other errors still capture theirs', () => {
  const before = Error.stackTraceLimit;

  const refusal = new HttpError(400, 'wrong', 'Wrong.');

  expect(Error.stackTraceLimit).toBe(before);
  expect(refusal.stack).not.toContain('\n    at ');
  expect(new Error('other').stack).toContain('\n    at ');
});

test('requireClient throws client_gone when the client has disconnected, and nothing otherwise', () => {
  expect(() => requireClient(contextOf(true))).toThrow(expect.objectContaining({ code: 'client_gone' }));
  expect(() => requireClient(contextOf(false))).not.toThrow();
});

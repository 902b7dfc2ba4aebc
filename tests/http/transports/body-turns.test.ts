/** Large bodies that arrive together are parsed in turns of the event loop of their own; small ones do not wait for them. */
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ANONYMOUS } from '../../../src/auth/user.ts';
import type { RequestContext } from '../../../src/http/context.ts';
import { readJsonBody } from '../../../src/http/transports/json-body.ts';
import { LARGE_BODY_BYTES, UploadBudget } from '../../../src/http/transports/upload-budget.ts';

/** The number of the current turn of the event loop. */
let turn: number;
let nextTurn: NodeJS.Immediate;
beforeEach(() => {
  turn = 0;
  const count = (): void => {
    turn += 1;
    nextTurn = setImmediate(count);
  };
  count();
});
afterEach(() => clearImmediate(nextTurn));

/** A request whose whole body has arrived, with what the reader needs of it. */
function contextOf(length: number): RequestContext {
  const body = Buffer.from(JSON.stringify('x'.repeat(length - 2)));
  const req = Object.assign(Readable.from([body]), { headers: { 'content-type': 'application/json' } });
  return { req, state: { grant: { user: ANONYMOUS } } } as unknown as RequestContext;
}

/** The turn of the event loop in which each body is parsed. */
async function parseAll(lengths: readonly number[]): Promise<number[]> {
  const limits = { maxBytes: 2 * LARGE_BODY_BYTES, uploads: new UploadBudget(10 * LARGE_BODY_BYTES) };
  return Promise.all(lengths.map(async (length) => readJsonBody(contextOf(length), limits).then(() => turn)));
}

test('large bodies are parsed in the order of arrival, each in another turn of the event loop', async () => {
  const turns = await parseAll(Array.from({ length: 5 }, () => LARGE_BODY_BYTES));

  expect(turns).toEqual([...new Set(turns)].toSorted((one, other) => one - other));
});

test('a small body that arrives after large ones is parsed before them', async () => {
  const [first = 0, second = 0, small = 0] = await parseAll([
    LARGE_BODY_BYTES,
    LARGE_BODY_BYTES,
    LARGE_BODY_BYTES - 1,
  ]);

  expect(small).toBeLessThan(first);
  expect(first).toBeLessThan(second);
});

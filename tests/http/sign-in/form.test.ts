/** The bodies of the sign-in endpoints, which anybody may send: read whole, and at the cost of their bytes, however they are cut. */
import { EventEmitter } from 'node:events';
import { expect, test } from '@jest/globals';
import type { RequestContext } from '../../../src/http/context.ts';
import { readForm } from '../../../src/http/sign-in/form.ts';
import { timeAtOnce } from '../../support/longest-turn.ts';

/** A request with a form, whose body is what a test emits. */
function formRequest(): { readonly req: EventEmitter; readonly ctx: RequestContext } {
  const req = Object.assign(new EventEmitter(), { headers: {} });
  return { req, ctx: { req, is: () => 'application/x-www-form-urlencoded' } as unknown as RequestContext };
}

/** A text in chunks of one byte. */
const chunksOf = (text: string): Buffer[] => Array.from(Buffer.from(text), (byte) => Buffer.from([byte]));

test('a form in chunks of one byte is read whole', async () => {
  const { req, ctx } = formRequest();
  const reading = readForm(ctx);

  for (const chunk of chunksOf('token=t%C3%B6k&client_id=é')) req.emit('data', chunk);
  req.emit('end');

  const form = await reading;
  expect([form.get('token'), form.get('client_id')]).toEqual(['tök', 'é']);
});

test('a form in chunks of one byte is not copied anew with each of them', () => {
  const chunks = chunksOf('a'.repeat(16_000));
  const copy = (): void => {
    const { req } = formRequest();
    const room = Buffer.alloc(chunks.length);
    let length = 0;
    req.on('data', (chunk: Buffer) => (length += chunk.copy(room, length)));
    for (const chunk of chunks) req.emit('data', chunk);
  };
  const read = (): void => {
    const { req, ctx } = formRequest();
    void readForm(ctx);
    for (const chunk of chunks) req.emit('data', chunk);
  };

  // The best of several, as other load on the machine makes single ones longer.
  const copyMs = Math.min(...chunks.slice(0, 8).map(() => timeAtOnce(copy)));
  const readMs = Math.min(...chunks.slice(0, 8).map(() => timeAtOnce(read)));

  expect(readMs).toBeLessThan(3 * copyMs);
});

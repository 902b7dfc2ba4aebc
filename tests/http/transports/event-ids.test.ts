/** Event ids: they are read back as they were made, for their own session and for no other. */
import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { createEventIds, readEventId } from '../../../src/http/transports/event-ids.ts';

const KINDS = fc.constantFrom('post' as const, 'get' as const);
const NUMBERS = fc.nat({ max: 1_000_000 });
const IDS = fc.array(fc.oneof(fc.string({ maxLength: 12 }), fc.maxSafeInteger()), { maxLength: 3 });

test('an event id can be read back, and is short and safe in a header', () => {
  fc.assert(
    fc.property(fc.uuid(), KINDS, NUMBERS, fc.boolean(), IDS, (session, kind, number, isLast, requestIds) => {
      const ids = createEventIds(session, kind, requestIds);
      const id = ids.spell(number, isLast);
      const read = readEventId(session, id);

      expect(id).toMatch(/^[\w.-]{20,130}$/);
      expect(read).toMatchObject({ number, isLast, ids: { kind, stream: ids.stream } });
      const isShort = Buffer.byteLength(JSON.stringify(requestIds)) <= 64;
      expect(read?.ids.requestIds).toEqual(isShort ? requestIds : []);
      expect(read?.ids.spell(number, isLast)).toBe(id);
      expect(readEventId(`${session}x`, id)).toBeUndefined();
    }),
  );
});

test('an event id with an altered stream, kind or request is invalid', () => {
  const id = createEventIds('session', 'post', [1, 'two']).spell(7);
  const [start, end] = [id.indexOf('.7.'), id.indexOf('.7.') + 3];
  const places = Array.from(id).flatMap((_, at) => (at < start || at >= end ? [at] : []));

  const read = places.flatMap((at) =>
    Array.from('AbZ09-_.').flatMap((other) => {
      const altered = `${id.slice(0, at)}${other}${id.slice(at + 1)}`;
      return altered === id ? [] : (readEventId('session', altered) ?? []);
    }),
  );

  expect(read).toEqual([]);
});

test('two streams of a session have different ids', () => {
  const streams = Array.from({ length: 1000 }, () => createEventIds('session', 'post', [1]).stream);

  expect(new Set(streams).size).toBe(1000);
});

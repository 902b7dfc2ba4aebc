/** Sealed session ids: every process with the secret can read them for their user, transport and lifetime, until they are ended. */
import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { createSealer } from '../../src/sealed.ts';
import { createSealedIds, RANDOM_IDS, type SessionIds } from '../../src/sessions/session-ids.ts';
import { anyCharacter } from '../support/any-character.ts';

const DAY_MS = 86_400_000;
const SECRET = randomBytes(32).toString('base64url');
const ASKED = { kind: 'streamable-http', userId: 'ada' } as const;
const FACTS = { ...ASKED, notes: '{"protocolVersion":"2025-06-18"}' } as const;

/** The ids of one process, with a clock that the test sets. */
function createProcess({ secrets = [SECRET], maxAgeMs = 7 * DAY_MS, startsAtMs = 0 } = {}): SessionIds & {
  clock: { nowMs: number };
} {
  const clock = { nowMs: 1_800_000_000_000 + startsAtMs };
  const sealer = createSealer(secrets);
  return { ...createSealedIds({ sealer, maxAgeMs, now: () => clock.nowMs }), clock };
}

test('an id can be read by another process with the secret, and by no other', () => {
  const id = createProcess().create(FACTS);

  expect(createProcess().read(id, ASKED)).toBe(FACTS.notes);
  expect(createProcess({ secrets: [randomBytes(32).toString('base64url'), SECRET] }).read(id, ASKED)).toBe(
    FACTS.notes,
  );
  expect(createProcess({ secrets: [randomBytes(32).toString('base64url')] }).read(id, ASKED)).toBeUndefined();
});

test('an id is valid only for its own user and transport', () => {
  const here = createProcess();
  const id = here.create(FACTS);

  expect(here.read(id, { ...ASKED, userId: 'bob' })).toBeUndefined();
  expect(here.read(id, { ...ASKED, userId: 'ada ' })).toBeUndefined();
  expect(here.read(id, { ...ASKED, kind: 'sse' })).toBeUndefined();
});

test('an id that was read before is checked again: its user, transport, lifetime and end', () => {
  const here = createProcess();
  const [id, other] = [here.create(FACTS), here.create(FACTS)];
  const read = (asked: Parameters<SessionIds['read']>[1] = ASKED) => here.read(id, asked);

  const twice = [read(), read()];
  const foreign = [read({ ...ASKED, userId: 'bob' }), read({ ...ASKED, kind: 'sse' })];
  const again = read();
  here.clock.nowMs += 7 * DAY_MS + 1000;
  const late = read();
  here.clock.nowMs -= 7 * DAY_MS + 1000 + 660_000;
  const early = read();
  here.clock.nowMs += 660_000;
  here.noteEnded(id);

  expect([...twice, again]).toEqual([FACTS.notes, FACTS.notes, FACTS.notes]);
  expect([...foreign, late, early, read()]).toEqual([undefined, undefined, undefined, undefined, undefined]);
  expect(here.read(other, ASKED)).toBe(FACTS.notes);
});

test('the latest thousand ids are decrypted once; others again, with the same result', () => {
  let opened = 0;
  const sealer = createSealer([SECRET]);
  const open: typeof sealer.open = (...asked) => {
    opened += 1;
    return sealer.open(...asked);
  };
  const here = createSealedIds({ sealer: { ...sealer, open }, maxAgeMs: DAY_MS });
  const ids = Array.from({ length: 1_001 }, () => here.create(FACTS));
  const readAll = (some: readonly string[]) => new Set(some.map((id) => here.read(id, ASKED)));

  const said = [readAll(ids), readAll(ids.slice(1)), readAll(ids.slice(0, 1))];

  expect(said).toEqual([new Set([FACTS.notes]), new Set([FACTS.notes]), new Set([FACTS.notes])]);
  expect(opened).toBe(1_002);
});

test('ids differ, do not show their user, and are safe in a header', () => {
  const here = createProcess();
  const ids = Array.from({ length: 100 }, () => here.create(FACTS));

  expect(new Set(ids.map((id) => id.slice(0, 8))).size).toBe(100);
  for (const id of ids) expect(id).toMatch(/^[\w-]{80,140}$/);
  expect(Buffer.from(ids.join(''), 'base64url').includes('ada')).toBe(false);
});

test.each([
  ['at its end', 7 * DAY_MS, true],
  ['past it', 7 * DAY_MS + 1000, false],
  ['by a clock that is behind by eight minutes, as two are that are wrong by four each way', -480_000, true],
  ['by one that is behind by eleven', -660_000, false],
])('an id has a longest life: %s', (_when, laterMs, isRead) => {
  const id = createProcess().create(FACTS);

  const notes = createProcess({ startsAtMs: laterMs }).read(id, ASKED);

  expect(notes).toBe(isRead ? FACTS.notes : undefined);
});

test('an id of HTTP+SSE names the process of its stream, without a lifetime', () => {
  const asked = { kind: 'sse', userId: 'ada' } as const;
  const id = createProcess().create({ ...asked, notes: 'home' });
  const read = (startsAtMs: number, as: Parameters<SessionIds['read']>[1] = asked) =>
    createProcess({ startsAtMs }).read(id, as);

  expect([0, 30 * DAY_MS, -DAY_MS].map((laterMs) => read(laterMs))).toEqual(['home', 'home', 'home']);
  expect([read(30 * DAY_MS, { ...asked, userId: 'bob' }), read(0, ASKED)]).toEqual([undefined, undefined]);
});

test('an ended session is unknown where it ended; the latest ten thousand are remembered', () => {
  const here = createProcess();
  const ids = Array.from({ length: 10_001 }, () => here.create(FACTS));

  for (const id of ids) here.noteEnded(id);

  expect(here.read(ids.at(-1) ?? '', ASKED)).toBeUndefined();
  expect(here.read(ids[1] ?? '', ASKED)).toBeUndefined();
  // Only its own user gets it back, and only by ending ten thousand more.
  expect(here.read(ids[0] ?? '', ASKED)).toBe(FACTS.notes);
});

test('a session with state that an id cannot hold has an id that says nothing', () => {
  const here = createProcess();

  const ids = [undefined, 'x'.repeat(1001), 'é'.repeat(501)].map((notes) => here.create({ ...FACTS, notes }));

  for (const id of ids) {
    expect(id).toMatch(/^[\da-f-]{36}$/);
    expect(here.read(id, ASKED)).toBeUndefined();
  }
});

test('notes are read back unchanged, from ids of a size that every proxy accepts', () => {
  const here = createProcess();

  fc.assert(
    fc.property(fc.string({ unit: anyCharacter, maxLength: 250 }), fc.string(), (notes, userId) => {
      const id = here.create({ ...ASKED, userId, notes });
      expect(here.read(id, { ...ASKED, userId })).toBe(Buffer.from(notes).toString());
      expect(id.length).toBeLessThan(1500);
    }),
  );
});

test('a sealed value that is no session id is rejected without an error', () => {
  const here = createProcess();
  const sealer = createSealer([SECRET]);
  const others = [Buffer.alloc(0), Buffer.alloc(3), Buffer.from([2]), Buffer.alloc(22), Buffer.alloc(200, 1)];

  fc.assert(fc.property(fc.string(), (id) => here.read(id, ASKED) === undefined));
  for (const bytes of others) expect(here.read(sealer.seal('session id', bytes), ASKED)).toBeUndefined();
});

test('an id with any bit changed, or spliced from others, is rejected', () => {
  const here = createProcess();
  const [one, other] = [here.create(FACTS), here.create(FACTS)];
  const sealed = Buffer.from(one, 'base64url');
  const flipped = Array.from({ length: sealed.length * 8 }, (_, bit) => {
    const bytes = Buffer.from(sealed);
    bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    return bytes.toString('base64url');
  });

  expect(flipped.filter((id) => here.read(id, ASKED) !== undefined)).toEqual([]);
  const at = fc.nat({ max: one.length });
  fc.assert(
    fc.property(at, at, fc.string({ maxLength: 2 }), (from, to, piece) => {
      for (const id of [one.slice(0, from) + piece + one.slice(to), one.slice(0, from) + other.slice(from)])
        expect(here.read(id, ASKED)).toBe(id === one || id === other ? FACTS.notes : undefined);
    }),
  );
});

test('without a secret, an id cannot be read', () => {
  const id = RANDOM_IDS.create(FACTS);

  expect(id).toMatch(/^[\da-f-]{36}$/);
  expect(RANDOM_IDS.read(id, ASKED)).toBeUndefined();
});

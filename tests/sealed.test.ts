/** Sealed values: opened by every secret of the list, for their purpose only, and not at all once a character has changed. */
import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { createSealer, decodeCanonical, MAX_SEALED_BYTES } from '../src/sealed.ts';

/** A secret as `npm run token -- secret` prints it. */
const newSecret = (): string => randomBytes(32).toString('base64url');
const [OLD, NEW, FOREIGN] = [newSecret(), newSecret(), newSecret()];
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const bytes = Buffer.from('what is sealed');

test('a sealed value can be opened by another process with the secret, and never has the same text twice', () => {
  const [here, there] = [createSealer([NEW]), createSealer([NEW])];

  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (payload) => {
      const texts = [here.seal('a', payload), here.seal('a', payload)];
      for (const text of texts) expect(there.open('a', text)).toEqual(Buffer.from(payload));
      expect(texts[0]).not.toBe(texts[1]);
    }),
  );
});

test('the first secret seals and all secrets open, so that a secret can be replaced', () => {
  const [before, during, after] = [[OLD], [NEW, OLD], [NEW]].map((secrets) => createSealer(secrets));

  const [fromBefore, fromDuring] = [before?.seal('a', bytes) ?? '', during?.seal('a', bytes) ?? ''];

  expect(during?.open('a', fromBefore)).toEqual(bytes);
  expect(after?.open('a', fromDuring)).toEqual(bytes);
  expect(after?.open('a', fromBefore)).toBeUndefined();
  expect(before?.open('a', fromDuring)).toBeUndefined();
});

test('a value cannot be opened for another purpose or with another secret', () => {
  const text = createSealer([NEW]).seal('session', bytes);

  expect(createSealer([NEW]).open('sign-in', text)).toBeUndefined();
  expect(createSealer([FOREIGN]).open('session', text)).toBeUndefined();
});

test('a text with any character changed, added or removed cannot be opened', () => {
  const sealer = createSealer([NEW]);

  // Of each length that the last characters can have spare bits or not.
  for (const length of [0, 1, 2, 3]) {
    const text = sealer.seal('a', bytes.subarray(0, length));
    const changed = Array.from(text).flatMap((old, index) =>
      Array.from(ALPHABET.replace(old, '')).map(
        (letter) => text.slice(0, index) + letter + text.slice(index + 1),
      ),
    );
    const others = [`${text}=`, ` ${text}`, `${text}\n`, `${text}A`, text.slice(1), text.slice(0, -1)];
    const opened = [...changed, ...others].filter((altered) => sealer.open('a', altered) !== undefined);

    expect(changed).toHaveLength(63 * text.length);
    expect(opened).toEqual([]);
  }
});

test('a message of any size can be opened only for its own place, and not after a change', () => {
  const [here, there] = [createSealer([NEW]), createSealer([OLD, NEW])];
  const large = randomBytes(3 * MAX_SEALED_BYTES);
  const sealed = here.sealMessage('envelope', large, 'in:a');
  const flipped = sealed.map((byte, index) => (index === 40 ? byte ^ 1 : byte));

  expect(there.openMessage('envelope', sealed, 'in:a')).toEqual(large);
  expect(there.openMessage('envelope', sealed, 'in:b')).toBeUndefined();
  expect(there.openMessage('session', sealed, 'in:a')).toBeUndefined();
  expect(there.openMessage('envelope', flipped, 'in:a')).toBeUndefined();
  for (const length of [0, 10, 27])
    expect(there.openMessage('envelope', sealed.subarray(0, length), 'in:a')).toBeUndefined();
});

test('a name depends on its text, its purpose and the secret', () => {
  const [here, foreign] = [createSealer([NEW]), createSealer([FOREIGN])];
  const [name] = here.namesOf('mark', 'ended x');

  expect(createSealer([NEW]).namesOf('mark', 'ended x')).toEqual([name]);
  expect(name).toMatch(/^[\w-]{22}$/);
  const others = [
    foreign.namesOf('mark', 'ended x'),
    here.namesOf('mark', 'ended y'),
    here.namesOf('b', 'ended x'),
  ];
  expect(others.flat()).not.toContain(name);
});

test('a text has a name by each secret, in their order', () => {
  const names = [[NEW, OLD], [OLD, NEW], [NEW], [OLD]].map((secrets) =>
    createSealer(secrets).namesOf('mark', 'ended x'),
  );

  expect(names[0]).toEqual([...(names[2] ?? []), ...(names[3] ?? [])]);
  expect(names[1]).toEqual(names[0]?.toReversed());
});

test('a text that was not sealed cannot be opened, however long', () => {
  const sealer = createSealer([NEW]);

  fc.assert(fc.property(fc.string(), (text) => sealer.open('a', text) === undefined));
  expect(sealer.open('a', 'A'.repeat(10_000_000))).toBeUndefined();
});

test('the largest value can be opened, and a larger one is refused', () => {
  const sealer = createSealer([NEW]);
  const largest = randomBytes(MAX_SEALED_BYTES);

  expect(sealer.open('a', sealer.seal('a', largest))).toEqual(largest);
  expect(() => sealer.seal('a', Buffer.concat([largest, Buffer.alloc(1)]))).toThrow(RangeError);
});

test('without a secret nothing is sealed', () => {
  expect(() => createSealer([]).seal('a', bytes)).toThrow('no secret');
});

test('base64url is accepted only in its canonical form', () => {
  expect(decodeCanonical('AAA')).toEqual(Buffer.alloc(2));
  for (const text of ['AAB', 'AAA=', 'A+A', 'A/A', 'A A', 'A', 'é'])
    expect(decodeCanonical(text)).toBeUndefined();
});

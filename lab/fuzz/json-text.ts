/** Writes JSON that JSON.stringify never would: doubled keys, huge numbers, lone surrogates, deep nesting, broken bytes. */
import type { Random } from './random.ts';

/** A piece of JSON text that is written unchanged. */
export class RawJson {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** An object as a list of members, so that a key may be doubled, and `__proto__` is a key like any other. */
export class Members {
  readonly entries: readonly (readonly [string, unknown])[];

  constructor(entries: readonly (readonly [string, unknown])[]) {
    this.entries = entries;
  }
}

/** Writes a value as JSON text. */
export function toJsonText(value: unknown): string {
  if (value instanceof RawJson) return value.text;
  if (Array.isArray(value)) return `[${value.map(toJsonText).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = value instanceof Members ? value.entries : Object.entries(value);
    const written = entries.filter(([, member]) => member !== undefined);
    return `{${written.map(([key, member]) => `${JSON.stringify(key)}:${toJsonText(member)}`).join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

/** Makes a value that a field should not have, of any kind. */
export function strangeValue(random: Random): unknown {
  return random.weighted<() => unknown>([
    [12, () => random.pick(PLAIN)],
    [6, () => new RawJson(random.pick(RAW))],
    [4, () => random.pick(STRINGS)],
    [1, () => nested(random.pick([2, 20, 98, 99, 100, 101, 102, 500, 20_000]), random)],
    [1, () => 'long '.repeat(random.int(1, 4_000))],
    [1, () => Array.from({ length: random.int(1, 2_000) }, (_, index) => index)],
    [
      2,
      () =>
        new Members([
          ['__proto__', { polluted: true }],
          ['constructor', { prototype: { polluted: 1 } }],
        ]),
    ],
    [1, () => String.fromCharCode(...Array.from({ length: random.int(1, 20) }, () => random.int(0, 0xffff)))],
  ])();
}

/** Changes one member, at any depth: makes it strange, removes it, doubles it, or adds another one. */
export function mutate(random: Random, value: unknown): unknown {
  if (value instanceof RawJson || value instanceof Members || typeof value !== 'object' || value === null)
    return strangeValue(random);
  if (Array.isArray(value)) {
    if (value.length === 0) return [strangeValue(random)];
    const at = random.int(0, value.length - 1);
    return value.map((item: unknown, index) => (index === at ? mutate(random, item) : item));
  }
  const entries: [string, unknown][] = Object.entries(value);
  const [key, member] = entries.length === 0 ? (['extra', 1] as const) : random.pick(entries);
  const others = entries.filter(([name]) => name !== key);
  return random.weighted<() => unknown>([
    [5, () => ({ ...value, [key]: strangeValue(random) })],
    [
      typeof member === 'object' && member !== null ? 12 : 0,
      () => ({ ...value, [key]: mutate(random, member) }),
    ],
    [2, () => new Members(others)],
    [1, () => new Members([...entries, [key, strangeValue(random)]])],
    [1, () => new Members([[key, strangeValue(random)], ...entries])],
    [1, () => new Members([...entries, [random.pick(STRINGS), strangeValue(random)]])],
    [1, () => new Members([...entries, ['__proto__', { [key]: member }]])],
    [1, () => new Members([...others, [random.chance(0.5) ? key.toUpperCase() : `${key} `, member]])],
  ])();
}

/** Damages bytes: inserts, removes, cuts, doubles, or makes them invalid UTF-8. */
export function mutateBytes(random: Random, bytes: Buffer): Buffer {
  const at = random.int(0, Math.max(0, bytes.length - 1));
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  return random.weighted<() => Buffer>([
    [4, () => Buffer.concat([before, random.bytes(random.int(1, 4)), after])],
    [3, () => Buffer.concat([before, after.subarray(1)])],
    [2, () => before],
    [2, () => Buffer.concat([before, Buffer.from(random.pick(BAD_UTF8)), after])],
    [1, () => Buffer.concat([bytes, bytes])],
    [1, () => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes])],
    [1, () => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(bytes.toString(), 'utf16le')])],
    [1, () => Buffer.concat([bytes, Buffer.from(random.pick(['\0', '\n\n', ' x', '}', ',']))])],
    [1, () => Buffer.concat([before, Buffer.alloc(random.int(1, 3)), after])],
  ])();
}

/** Arrays or objects, nested this many levels deep. */
function nested(levels: number, random: Random): RawJson {
  if (random.chance(0.5)) return new RawJson('['.repeat(levels) + ']'.repeat(levels));
  return new RawJson(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`);
}

const PLAIN: readonly unknown[] = [
  null, true, false, 0, 1, -1, 1.5, 2 ** 31, 2 ** 53, -(2 ** 53), 1e21, 5e-324, '', [], {}, [[]], [{}], [null], ['a'],
  { length: 1e9 }, { toString: null }, { toJSON: 1 }, { '': '' }, { jsonrpc: '2.0' },
]; // prettier-ignore

const RAW = [
  '1e400', '-1e400', '1E-400', '-0', '9007199254740993', '123456789012345678901234567890', `1${'0'.repeat(400)}`,
  '0.1e-10', '"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '"a\\u0000b"', '"\\uffff\\ufffe"', '"\\u2028\\u2029"',
  '{"then":1}', 'NaN', 'Infinity', 'undefined', '01', '+1', '.5', '1.', '0x10', "'a'", '"\\x41"', '[1,]', '{"a":1,}', '// x', '"\n"',
]; // prettier-ignore

const STRINGS = [
  '__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '../../etc/passwd', '<script>alert(1)</script>',
  '\r\n\r\nevent: endpoint\ndata: /messages\n\n', '\ndata: {}\n\n', 'a\r\nX-Injected: 1', '${7*7}', '%00', '\u0000',
  '\u001b[31m', '\u202e', '🙂', 'ﷺ', 'İ', 'ß', 'null', '[object Object]', 'true', '0', '2.0', 'sha256:', 'tools/call',
]; // prettier-ignore

const BAD_UTF8 = [
  [0xff],
  [0xc0, 0xaf],
  [0xed, 0xa0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0xe2, 0x82],
  [0x80],
  [0xf8, 0x88],
];

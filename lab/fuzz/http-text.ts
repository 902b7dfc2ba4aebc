/** Builds HTTP requests: as clients write them, in other spellings, and with framing that is right or broken. */
import type { Random } from './random.ts';

/** A request, before it becomes bytes. */
export interface HttpRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body?: Buffer;
}

/** The bytes of a request, with the length of its body. */
export function toBytes({ method, target, headers, body }: HttpRequest): Buffer {
  const length = body === undefined ? [] : [['Content-Length', String(body.length)] as const];
  return Buffer.concat([headOf(method, target, [...headers, ...length]), body ?? Buffer.alloc(0)]);
}

/** The bytes of a head. Each character of the strings becomes one byte. */
export function headOf(
  method: string,
  target: string,
  headers: HttpRequest['headers'],
  version = 'HTTP/1.1',
): Buffer {
  const lines = [`${method} ${target} ${version}`, ...headers.map(([name, value]) => `${name}: ${value}`)];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** Frames a body in chunks of random lengths, sometimes with extensions and trailers; the framing is right. */
export function toChunks(random: Random, body: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length;) {
    const part = body.subarray(at, at + random.pick([1, 2, 7, 64, 1000, 100_000]));
    at += part.length;
    const size = part.length.toString(16);
    const extension = random.chance(0.1) ? random.pick([';a', ';a=b', ';a="b"']) : '';
    parts.push(
      Buffer.from(`${random.chance(0.2) ? `00${size}` : size}${extension}\r\n`),
      part,
      Buffer.from('\r\n'),
    );
    if (parts.length > 600) {
      const rest = body.subarray(at);
      if (rest.length > 0)
        parts.push(Buffer.from(`${rest.length.toString(16)}\r\n`), rest, Buffer.from('\r\n'));
      break;
    }
  }
  const trailer = random.chance(0.1) ? 'X-Trailer: 1\r\nAuthorization: Bearer late\r\n' : '';
  return Buffer.concat([...parts, Buffer.from(`0\r\n${trailer}\r\n`)]);
}

/** Frames a body in chunks, with a mistake in the framing. */
export function toBrokenChunks(random: Random, body: Buffer): Buffer {
  const size = body.length.toString(16);
  const text = body.toString('latin1');
  return Buffer.from(
    random.pick([
      `${size}\r\n${text}`,
      `${size}\n${text}\n0\n\n`,
      `-${size}\r\n${text}\r\n0\r\n\r\n`,
      `0x${size}\r\n${text}\r\n0\r\n\r\n`,
      `ffffffffffffffffff\r\n${text}\r\n0\r\n\r\n`,
      `${size}\r\n${text}x\r\n0\r\n\r\n`,
      `${size};${'e'.repeat(20_000)}\r\n${text}\r\n0\r\n\r\n`,
      `${size}\r\n${text}\r\n0\r\n${'T: x\r\n'.repeat(5_000)}\r\n`,
      `zz\r\n${text}`,
      '\r\n\r\n\r\n',
    ]),
    'latin1',
  );
}

/** Splits bytes into a few writes. */
export function split(random: Random, bytes: Buffer): Buffer[] {
  const cuts = Array.from({ length: random.int(1, 5) }, () => random.int(0, bytes.length)).toSorted(
    (a, b) => a - b,
  );
  const ends = [...cuts, bytes.length];
  return ends
    .map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
    .filter(({ length }) => length > 0);
}

/** Spells headers in another way: case of names, white space around values, order, and additional harmless headers. */
export function respell(random: Random, headers: HttpRequest['headers']): HttpRequest['headers'] {
  const spelled = headers.map(([name, value]) => {
    const words = random.pick([name, name.toLowerCase(), name.toUpperCase()]);
    return [
      words,
      random.chance(0.2) ? `${random.pick(['', ' ', '\t'])}${value}${random.pick(['', ' ', '\t '])}` : value,
    ] as const;
  });
  const extras = Array.from({ length: random.int(0, 3) }, () => random.pick(HARMLESS_HEADERS));
  return random.chance(0.3) ? [...extras, ...spelled.toReversed()] : [...spelled, ...extras];
}

/** Puts a mistake into headers. */
export function misspell(
  random: Random,
  headers: HttpRequest['headers'],
  tag: string,
): HttpRequest['headers'] {
  const index = random.int(0, headers.length - 1);
  const [name, value] = headers[index] ?? ['X', ''];
  const rest = headers.filter((_, at) => at !== index);
  const bad = random.pick(BAD_VALUES);
  return random.weighted<() => HttpRequest['headers']>([
    [4, () => [...rest, [name, bad]]],
    [2, () => rest],
    [2, () => [...headers, [name, value]]],
    [2, () => [...headers, [name, bad]]],
    [1, () => [...rest, [`${name} `, value]]],
    [1, () => [...rest, [name, `${value}\r\n folded`]]],
    [1, () => [...headers, [random.pick(BAD_NAMES), tag]]],
    [
      1,
      () => [
        ...headers,
        ...Array.from({ length: random.pick([50, 1_000, 3_000]) }, (_, at) => [`X-${at}`, 'y'] as const),
      ],
    ],
    [1, () => [...headers, ['X-Long', 'y'.repeat(random.pick([4_000, 15_000, 17_000, 70_000]))]]],
    [2, () => [...headers, random.pick(MEANINGFUL_HEADERS)]],
  ])();
}

/** Spells a path in a way that the parts of a chain may read differently. */
export function misspellPath(random: Random, path: string): string {
  return random.pick<(path: string) => string>([
    (text) => `/${text}`, (text) => `${text}/`, (text) => text.toUpperCase(), (text) => `/.${text}`, (text) => `/x/..${text}`,
    (text) => `${text};x=1`, (text) => `${text}%2f`, (text) => `${text}%00`, (text) => `${text}\\`, (text) => `${text}#a`,
    (text) => text.replace('m', '%6d'), (text) => text.replace('m', '%256d'), (text) => `http://127.0.0.1${text}`,
    (text) => `http://evil.example${text}`, (text) => text.slice(1), (text) => `${text}.json`, (text) => `${text}?`,
    (text) => `${text}/../sse`, (text) => `${text}%20`, (text) => `//evil.example${text}`, (text) => `/%2e%2e${text}`,
    (text) => `${text}/${'a/'.repeat(3000)}`, (text) => `/\xff\xfe${text}`, (text) => `${text}%zz`, (text) => `${text}%c0%af`,
    (text) => `/.well-known/oauth-protected-resource${text}`, () => '*', () => '/', () => '', () => '/%', () => '/messages?sessionId=',
  ])(path); // prettier-ignore
}

const HARMLESS_HEADERS = [
  ['User-Agent', 'fuzz'], ['X-Forwarded-For', '1.2.3.4'], ['X-Forwarded-Host', 'evil.example'], ['X-Forwarded-Proto', 'gopher'],
  ['X-Original-URL', '/tools'], ['X-Rewrite-URL', '/tools'], ['X-HTTP-Method-Override', 'DELETE'], ['Forwarded', 'for=_x;host=y'],
  ['Cookie', 'token=x; __proto__=y'], ['Accept-Language', '*'], ['Range', 'bytes=0-1'], ['If-None-Match', '*'],
  ['If-Modified-Since', 'Tue, 19 Jan 2038 03:14:08 GMT'], ['TE', 'trailers'], ['Last-Event-ID', '__proto__'], ['Via', '1.1 x'],
] as const; // prettier-ignore

const MEANINGFUL_HEADERS = [
  ['Origin', 'null'], ['Origin', 'https://evil.example'], ['Origin', 'http://localhost.evil.example'], ['Origin', 'http://127.0.0.1:1'],
  ['Content-Encoding', 'gzip'], ['Content-Type', 'text/plain'], ['Accept', 'text/html'], ['MCP-Protocol-Version', '2026-07-28'],
  ['MCP-Protocol-Version', '1999-01-01'], ['Mcp-Method', 'tools/call'], ['Mcp-Name', 'x'], ['Mcp-Session-Id', '__proto__'],
  ['Access-Control-Request-Method', 'POST'], ['Host', 'evil.example'], ['Mcp-Param-X', 'y'], ['Mcp-Session-Id', ''],
] as const; // prettier-ignore

const BAD_VALUES = [
  '', ' ', ',', ';', '"', '\0', '\x7f', '\x01', 'a\rb', 'a\nb', '\xff\xfe', '\xc3\xa9', '*', '*/*;q=9', '*/*;q=0', 'text/event-stream',
  'application/json', 'application/json; charset=utf-16', 'application/json;', 'APPLICATION/JSON', '__proto__', 'null', '[::1]', '127.0.0.1:99999',
  'localhost', 'evil.example', 'a'.repeat(9_000), '2025-06-18', '2026-07-28', '%00', '=?utf-8?b?eA==?=', '0', '-1',
] as const; // prettier-ignore

const BAD_NAMES = [
  '',
  ' X',
  'X\0',
  'X(',
  'X:',
  '\xe9',
  '__proto__',
  'constructor',
  'X'.repeat(5_000),
  'X\tY',
] as const;

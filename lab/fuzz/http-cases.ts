/** Cases about HTTP itself: spelling, framing, pipelining, connections that break off, and credentials. */
import type { Actor, Exchange, Request } from './actor.ts';
import {
  headOf, type HttpRequest, misspell, misspellPath, respell, split, toBrokenChunks, toBytes, toChunks,
} from './http-text.ts'; // prettier-ignore
import { anyBody, toolCall } from './messages.ts';
import { tagOf, type Who } from './oracle.ts';
import type { Random } from './random.ts';
import { headersOf, post, requestFor, statelessCall } from './talk.ts';

const PATHS = [
  '/',
  '/mcp',
  '/sse',
  '/messages',
  '/tools',
  '/health',
  '/ready',
  '/register',
  '/authorize',
  '/token',
  '/revoke',
  '/.well-known/x',
  '/.well-known/oauth-protected-resource/mcp',
  '/nothing',
];
const METHODS = [
  'GET',
  'GET',
  'POST',
  'POST',
  'HEAD',
  'DELETE',
  'OPTIONS',
  'PUT',
  'PATCH',
  'TRACE',
  'PROPFIND',
  'QUERY',
];

/** Sends a request line and headers that are right or misspelled. */
export async function spelledCase(random: Random, actor: Actor): Promise<void> {
  const who = random.pick<Who>(['ada', 'bob', 'nobody']);
  const tag = tagOf(actor.caseNumber, who);
  const path = random.pick(PATHS);
  const target = random.chance(0.4)
    ? misspellPath(random, path)
    : `${path}${random.chance(0.2) ? `?q=${tag}` : ''}`;
  const method = random.pick(METHODS);
  const body = method === 'GET' || random.chance(0.4) ? undefined : anyBody(random, tag);
  const right = [...headersOf(actor, who), ...(body ? [['Content-Type', 'application/json'] as const] : [])];
  const spelled = random.chance(0.5) ? respell(random, right) : misspell(random, right, tag);
  const bytes = toBytes({ method, target, headers: spelled, ...(body && { body }) });
  const badLine = random.chance(0.06) ? misspellLine(random, bytes) : bytes;
  const isHead = method === 'HEAD' && badLine === bytes;
  await actor.exchange({
    requests: [{ ...requestFor(who, body ?? Buffer.alloc(0)), isHead, stays: true }],
    pieces: random.chance(0.1) ? split(random, badLine) : [badLine],
    due: badLine === bytes && isWellFormed(bytes) ? 'answers' : 'answer-or-close',
  });
}

/** Sends a body whose framing is right, ambiguous or broken. */
export async function framedCase(random: Random, actor: Actor): Promise<void> {
  const who = random.pick<Who>(['ada', 'bob', 'nobody']);
  const body = anyBody(random, tagOf(actor.caseNumber, who));
  const { headers, target } = post(actor, who, body, {
    target: random.pick(['/mcp', '/messages?sessionId=x', '/sse', '/register', '/token', '/authorize']),
  });
  const send = (extra: HttpRequest['headers'], rest: Buffer): Buffer =>
    Buffer.concat([headOf('POST', target, [...headers, ...extra]), rest]);
  const length = String(body.length);
  const chunked = ['Transfer-Encoding', 'chunked'] as const;
  const [bytes, due] = random.weighted<() => readonly [Buffer, Exchange['due']]>([
    [4, () => [send([chunked], toChunks(random, body)), 'answers']],
    [2, () => [send([['Content-Length', length], ['Expect', '100-continue']], body), 'answers']],
    [1, () => [send([['Content-Length', length], ['Expect', 'the unexpected']], body), 'answers']],
    [1, () => [send([['Content-Length', length], ['Connection', random.pick(['close', 'keep-alive', 'x, close'])]], body), 'answers']],
    [1, () => [send([['Content-Length', length], ['Connection', 'Upgrade'], ['Upgrade', random.pick(['websocket', 'h2c', 'x'])]], body), 'answer-or-close']],
    [2, () => [send([chunked], toBrokenChunks(random, body)), 'anything']],
    [1, () => [send([chunked, ['Content-Length', length]], toChunks(random, body)), 'answer-or-close']],
    [1, () => [send([['Content-Length', length], ['Content-Length', `${body.length + 1}`]], body), 'answer-or-close']],
    [1, () => [send([['Content-Length', random.pick(['-1', '+5', '0x10', '1e3', '5 5', '', '99999999999999999999', '18446744073709551617'])]], body), 'answer-or-close']],
    [1, () => [send([['Transfer-Encoding', random.pick(['gzip, chunked', 'chunked, gzip', 'chunked, chunked', 'identity', 'chunked\x0b', 'xchunked', ''])]], toChunks(random, body)), 'anything']],
    [1, () => [send([['Content-Length', String(Math.max(0, body.length - random.int(1, 20)))]], body), 'answers']],
    [1, () => [send([['Content-Length', String(body.length + random.int(1, 1_000))]], body), 'anything']],
    [1, () => [send([['Content-Length', random.pick(['131073', '10000000', '4294967296', '9007199254740991'])]], body), 'anything']],
    [1, () => [headOf('POST', target, headers, random.pick(['HTTP/1.0', 'HTTP/1.1'])), 'answers']],
    [1, () => [send([chunked], toChunks(random, Buffer.alloc(140_000, 'x'))), 'answer-or-close']],
    [1, () => [headOf('POST', target, [...headers, ['Content-Length', length]], random.pick(['HTTP/0.9', 'HTTP/2.0', 'HTTP/1.2', 'HTTP/1', 'http/1.1', ''])), 'anything']],
  ])(); // prettier-ignore
  await actor.exchange({
    // Which bytes are the body is open here, so the answer may have any id, and may be a stream of changes.
    requests: [{ who, stays: bytes.includes('listen') }],
    pieces: random.chance(0.3) ? split(random, bytes) : [bytes],
    due,
  });
}

/** Leaves a connection in the middle of something. */
export async function brokenOffCase(random: Random, actor: Actor): Promise<void> {
  const who = random.pick<Who>(['ada', 'bob', 'nobody']);
  const tag = tagOf(actor.caseNumber, who);
  const whole = random.chance(0.3)
    ? toBytes({
        method: 'GET',
        target: random.pick(['/sse', '/mcp', '/tools']),
        headers: headersOf(actor, who),
      })
    : toBytes(post(actor, who, anyBody(random, tag)));
  const bytes = random.chance(0.5) ? whole.subarray(0, random.int(0, whole.length)) : whole;
  await actor.exchange({
    requests: [{ who, stays: true }],
    pieces: random.chance(0.5) ? split(random, bytes) : [bytes],
    due: 'anything',
    ending: random.pick(['close', 'reset', 'half-close'] as const),
  });
}

/** Sends requests of several users at once on one connection: each answer must be for its own sender. */
export async function pipelinedCase(random: Random, actor: Actor): Promise<void> {
  const count = random.int(2, 6);
  const one = (at: number): readonly [Buffer, Request] => {
    const who = random.pick<Who>(['ada', 'bob', 'ada', 'bob', 'nobody']);
    const tag = tagOf(actor.caseNumber, who);
    return random.weighted<() => readonly [Buffer, Request]>([
      [
        3,
        () => [
          toBytes(statelessCall(actor, who, 'echo_message', { message: `${tag}-${at}` })),
          { who, ids: new Set(['control']) },
        ],
      ],
      [2, () => [toBytes(statelessCall(actor, who, 'whoami', {})), { who, ids: new Set(['control']) }]],
      [1, () => [toBytes(post(actor, who, toolCall(at, 'whoami', {}))), { who, ids: new Set([at]) }]],
      [1, () => [toBytes({ method: 'GET', target: '/tools', headers: headersOf(actor, who) }), { who }]],
      [
        1,
        () => [
          toBytes({ method: 'HEAD', target: '/health', headers: headersOf(actor, who) }),
          { who, isHead: true },
        ],
      ],
      [1, () => [toBytes({ method: 'GET', target: '/', headers: headersOf(actor, who) }), { who }]],
    ])();
  };
  const [first, ...rest] = [one(0), ...Array.from({ length: count - 1 }, (_, at) => one(at + 1))] as const;
  const bytes = Buffer.concat([first, ...rest].map(([part]) => part));
  const requests = [first[1], ...rest.map(([, request]) => request)] as const;
  await actor.exchange({
    requests: [requests[0], ...requests.slice(1)],
    pieces: random.chance(0.5) ? split(random, bytes) : [bytes],
    due: 'answers',
  });
}

/** Sends credentials that are almost right: none of them may be let in. */
export async function credentialCase(random: Random, actor: Actor): Promise<void> {
  const token = actor.target.secrets.tokens[random.pick(['ada', 'bob'] as const)];
  const wrong = random.pick<string>([
    token.slice(0, -1), `${token}x`, token.slice(1), `x${token}`, token.toUpperCase(), `"${token}"`, `<${token}>`, `${token},${token}`,
    `${token} ${token}`, `${token}\t.`, `${token.slice(9)}${token.slice(0, 9)}`, encodeURIComponent(`${token}=`), Buffer.from(token).toString('base64'),
    'sha256:', `sha256:${'0'.repeat(64)}`, '__proto__', 'constructor', 'null', 'undefined', '', '0', '*', '\xff', 'x'.repeat(10_000),
  ]); // prettier-ignore
  const [header, target] = random.weighted<() => readonly [readonly (readonly [string, string])[], string]>([
    [5, () => [[['Authorization', `${random.pick(['Bearer', 'bearer', 'BEARER'])} ${wrong}`]], '/mcp']],
    [2, () => [[[random.pick(['x-api-key', 'X-Auth-Token']), wrong]], '/mcp']],
    [1, () => [[['Authorization', `${random.pick(['Basic', 'Digest', 'Token', 'Bearer:', 'Bearer,', ''])} ${token}`]], '/mcp']],
    [1, () => [[['Authorization', `Bearer ${token}`], ['x-api-key', `${token}x`]], '/mcp']],
    [1, () => [[['Authorization', `Bearer ${token}`], ['Authorization', `Bearer ${token}`]], '/mcp']],
    [1, () => [[['Cookie', `token=${token}; authorization=Bearer ${token}`]], '/mcp']],
    [1, () => [[], `/mcp?token=${token}&access_token=${token}&authorization=Bearer%20${token}`]],
    [1, () => [[['Proxy-Authorization', `Bearer ${token}`], ['X-Authorization', `Bearer ${token}`]], '/mcp']],
    [1, () => [[], `/${random.pick(['mcp', 'sse', 'tools', 'messages'])}/${token}`]],
  ])(); // prettier-ignore
  const { body, headers } = statelessCall(actor, 'nobody', 'whoami', {});
  const method = random.pick(['POST', 'GET']);
  const path = target === '/mcp' ? random.pick(['/mcp', '/tools', '/sse', '/messages?sessionId=x']) : target;
  const bytes = toBytes({
    method,
    target: path,
    headers: [...headers, ...header],
    ...(body && method === 'POST' && { body }),
  });
  await actor.exchange({
    requests: [{ who: 'nobody', mustRefuse: true }],
    pieces: [bytes],
    due: isWellFormed(bytes) ? 'answers' : 'answer-or-close',
  });
}

/** Whether a head follows the grammar of HTTP/1.1, so that the server must answer it. */
function isWellFormed(bytes: Buffer): boolean {
  const head = bytes.subarray(0, bytes.indexOf('\r\n\r\n')).toString('latin1');
  if (head.length > 15_000) return false;
  const [line = '', ...lines] = head.split('\r\n');
  const names = lines.map((text) => text.slice(0, text.indexOf(':')).toLowerCase());
  return (
    /^[A-Z]+ [\x21-\x7e]+ HTTP\/1\.1$/.test(line) &&
    lines.every((text) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\x20-\x7e\t\x80-\xff]*$/.test(text)) &&
    names.filter((name) => name === 'host').length === 1
  );
}

/** Replaces the request line by something that is none. */
function misspellLine(random: Random, bytes: Buffer): Buffer {
  const rest = bytes.subarray(bytes.indexOf('\r\n'));
  const line = random.pick([
    '', 'GET', 'GET /', 'GET  /  HTTP/1.1', 'get / HTTP/1.1', 'GET / HTTP/9.9', 'GET /\0 HTTP/1.1', 'PRI * HTTP/2.0', '\x16\x03\x01\x02', 'FOO / HTTP/1.1',
    'CONNECT evil.example:443 HTTP/1.1', 'CONNECT /mcp HTTP/1.1', 'GET / HTTP/1.1\r\nGET / HTTP/1.1', `GET /${'a'.repeat(20_000)} HTTP/1.1`, '\r\n\r\nGET / HTTP/1.1', 'GET / x HTTP/1.1',
  ]); // prettier-ignore
  return Buffer.concat([Buffer.from(line, 'latin1'), rest]);
}

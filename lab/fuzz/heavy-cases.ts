/** Cases with bodies that are expensive to handle: full of names, values or nesting where the server looks closely, sent whole or in single bytes. */
import type { Actor } from './actor.ts';
import { headOf, toBytes } from './http-text.ts';
import { RawJson, toJsonText } from './json-text.ts';
import { ENVELOPE, SESSION_REVISIONS } from './messages.ts';
import type { Who } from './oracle.ts';
import type { Random } from './random.ts';
import { post, requestFor } from './talk.ts';

/** Makes the filling of a body, by its amount. */
const FILLINGS: readonly ((count: number) => string)[] = [
  (count) => `{${list(count, (index) => `"k${index}":1`)}}`,
  (count) => `{${list(count, (index) => `"${(index * 7919) % 4_294_967_290}":1`)}}`,
  (count) => `[${list(count, (index) => `{"k${index}":1}`)}]`,
  (count) => `[${list(count, () => '[]')}]`,
  (count) => '['.repeat(count) + ']'.repeat(count),
  (count) => JSON.stringify('é"\\'.repeat(count)),
];

/** Sends one heavy body, from any caller. */
export async function heavyCase(random: Random, actor: Actor): Promise<void> {
  const who = random.pick<Who>(['ada', 'bob', 'nobody']);
  const filling = new RawJson(random.pick(FILLINGS)(random.pick([90, 1_000, 5_000, 15_000])));
  const body = Buffer.from(toJsonText(heavyMessage(random, filling)));
  const request = post(actor, who, body);
  const isInPieces = random.chance(0.3);
  const bytes = isInPieces
    ? Buffer.concat([
        headOf('POST', request.target, [...request.headers, ['Transfer-Encoding', 'chunked']]),
        inSingleBytes(body),
      ])
    : toBytes(request);
  // A body over the limit may be refused, and the connection closed, before all of it has been sent.
  await actor.exchange({ requests: [requestFor(who, body)], pieces: [bytes], due: 'answer-or-close' });
}

/** Makes a message with the filling in one of the places that the server reads. */
function heavyMessage(random: Random, filling: RawJson): object {
  const client = { protocolVersion: random.pick(SESSION_REVISIONS), capabilities: {}, clientInfo: { name: 'fuzz', version: '1' } };
  const [method, params] = random.pick<readonly [string, object]>([
    ['tools/call', { name: 'echo_message', arguments: filling }],
    ['tools/call', { name: 'echo_message', arguments: { message: filling }, _meta: ENVELOPE }],
    ['tools/list', { _meta: filling }],
    ['resources/list', { _meta: { ...ENVELOPE, filling } }],
    ['initialize', { ...client, capabilities: filling }],
    ['initialize', { ...client, capabilities: { experimental: filling } }],
    ['initialize', { ...client, clientInfo: { name: 'fuzz', version: '1', filling } }],
  ]);
  return { jsonrpc: '2.0', id: random.int(1, 1_000), method, params };
} // prettier-ignore

/** Frames a body in chunks of one byte each. */
function inSingleBytes(body: Buffer): Buffer {
  const framed = Buffer.alloc(body.length * 6, '1\r\n \r\n');
  for (const [index, byte] of body.entries()) framed[index * 6 + 3] = byte;
  return Buffer.concat([framed, Buffer.from('0\r\n\r\n')]);
}

/** Joins this many items with commas. */
function list(count: number, make: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => make(index)).join(',');
}

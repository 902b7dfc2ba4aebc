/** The load generator's reader: whole responses, whatever pieces they arrive in. */
import { expect, test } from '@jest/globals';
import { array, assert, integer, property } from 'fast-check';
import { HttpReader } from '../../../lab/bench/load/http-reader.ts';

const RESPONSES = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: 1\r\n\r\n',
  'HTTP/1.1 404 Not Found\r\ncontent-length:0\r\n\r\n',
].join('');

test('reads the same responses however the bytes are cut', () => {
  assert(
    property(array(integer({ min: 1, max: RESPONSES.length - 1 })), (cuts) => {
      expect(readInPieces(cuts)).toEqual(['200 hello', '202 ', '200 abcde', '404 ']);
    }),
  );
});

test('refuses a response whose end cannot be known', () => {
  const reader = new HttpReader({ head: () => undefined, body: () => undefined, end: () => undefined });

  expect(() => reader.feed(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'))).toThrow('without length');
});

/** Status and body of each response, read from bytes that arrive cut at these places. */
function readInPieces(cuts: readonly number[]): string[] {
  const seen: string[] = [];
  let text = '';
  const reader = new HttpReader({
    head: (status) => (text = `${status} `),
    body: (bytes) => (text += bytes.toString('latin1')),
    end: () => void seen.push(text),
  });
  const places = [0, ...cuts.toSorted((a, b) => a - b), RESPONSES.length];
  for (const [index, place] of places.entries())
    reader.feed(Buffer.from(RESPONSES.slice(place, places[index + 1] ?? place)));
  return seen;
}

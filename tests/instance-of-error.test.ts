/** What a fork's test may take for granted: `instanceof` tells errors, also those that Node itself throws. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';

/** What `run` throws or rejects with. */
async function thrownBy(run: () => unknown): Promise<unknown> {
  try {
    await run();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

class OwnError extends Error {}

describe('is an Error', () => {
  test.each<[string, () => unknown]>([
    ['what fetch rejects with', async () => fetch('http://127.0.0.1:1')],
    ['a file that is not there', async () => readFile('/no/such/file')],
    ['a file that is not there, read at once', () => readFileSync('/no/such/file')],
    ['an abort', () => AbortSignal.abort().throwIfAborted()],
    ['an aborted fetch', async () => fetch('http://127.0.0.1:1', { signal: AbortSignal.abort() })],
    ['an aborted wait', async () => delay(1, undefined, { signal: AbortSignal.abort() })],
    ['a DOMException', () => atob('%')],
    ['an invalid URL', () => new URL('no url')],
    ['a fault of the language', () => (undefined as unknown as { a: { b: string } }).a.b],
    ['one of our own', () => Promise.reject(new OwnError())],
  ])('%s', async (_name, run) => {
    expect((await thrownBy(run)) instanceof Error).toBe(true);
  });
});

test('a TypeError is told from other errors, by Node or by the language', async () => {
  const ofFetch = await thrownBy(async () => fetch('http://127.0.0.1:1'));
  const ofUrl = await thrownBy(() => new URL('no url'));
  const ofFile = await thrownBy(async () => readFile('/no/such/file'));

  expect([ofFetch, ofUrl, new TypeError()].map((error) => error instanceof TypeError)).toEqual([
    true,
    true,
    true,
  ]);
  expect([ofFile, new Error(), new RangeError()].map((error) => error instanceof TypeError)).toEqual([
    false,
    false,
    false,
  ]);
});

test('no class of our own takes other errors for its own, and nothing else is an error', async () => {
  const ofFetch = await thrownBy(async () => fetch('http://127.0.0.1:1'));

  expect([ofFetch, new Error()].map((error) => error instanceof OwnError)).toEqual([false, false]);
  expect([new OwnError()].map((error) => error instanceof OwnError)).toEqual([true]);
  expect([{ message: 'x', stack: '' }, null, 'x'].map((value) => value instanceof Error)).toEqual([
    false,
    false,
    false,
  ]);
});

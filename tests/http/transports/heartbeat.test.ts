/** Heartbeats, with a clock that the test sets: one for each silent interval, on every stream, as long as it is open. */
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ANONYMOUS } from '../../../src/auth/user.ts';
import { EventStreams } from '../../../src/http/transports/event-streams.ts';
import { eventually, openRaw, type RawConnection } from '../../support/raw-http.ts';

const INTERVAL_MS = 15_000;
const GRANT = { user: ANONYMOUS };

let nowMs: number;
let streams: EventStreams;
let server: Server;
let responses: ServerResponse[];
beforeEach(async () => {
  nowMs = 1_000_000;
  responses = [];
  streams = new EventStreams({
    keepAliveMs: INTERVAL_MS,
    unsentHardLimit: 1e9,
    unsentPerUser: 1e9,
    now: () => nowMs,
  });
  server = createServer((_req, res) => {
    res.writeHead(200).flushHeaders();
    responses.push(res);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** Opens a stream; resolves to both of its ends. */
async function open(): Promise<{ client: RawConnection; res: ServerResponse }> {
  const before = responses.length;
  const client = await openRaw(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await eventually(() => responses.length > before);
  const res = responses.at(-1);
  if (res === undefined) throw new Error('No response.');
  return { client, res };
}

/** Moves the clock on in steps of half a second, as the server's timer does. */
function pass(ms: number): void {
  for (let passed = 0; passed < ms; passed += 500) {
    nowMs += 500;
    streams.tick();
  }
}

/** How many heartbeats a client has received, once everything written has arrived. */
async function beatsOf({ client, res }: Awaited<ReturnType<typeof open>>): Promise<number> {
  res.write('mark');
  await client.waitFor(/mark/);
  return client.received().split(': keepalive\n\n').length - 1;
}

describe('a silent stream', () => {
  test('gets a heartbeat after each interval', async () => {
    const end = await open();
    streams.adopt(end.res, GRANT);

    pass(INTERVAL_MS - 500);
    const soon = end.res.writableLength;
    pass(9 * INTERVAL_MS + 1_000);

    expect(soon).toBe(0);
    expect(await beatsOf(end)).toBe(10);
  });

  test('gets its heartbeats beside other streams, whenever each was opened', async () => {
    const end = await open();
    for (let count = 0; count < 50; count += 1) {
      streams.adopt((await open()).res, GRANT);
      pass(500);
    }
    streams.adopt(end.res, GRANT);

    pass(3 * INTERVAL_MS + 500);

    expect(await beatsOf(end)).toBe(3);
  });
});

test('a write to a stream postpones its next heartbeat by a whole interval', async () => {
  const end = await open();
  const stream = streams.adopt(end.res, GRANT);

  pass(INTERVAL_MS - 1_000);
  stream.write(': something\n\n');
  pass(INTERVAL_MS - 1_000);
  const before = end.client.received().includes('keepalive');
  pass(1_000);

  expect(before).toBe(false);
  expect(await beatsOf(end)).toBe(1);
});

test('a stream that has ended or whose client has disconnected gets no more writes', async () => {
  const [ended, left] = [await open(), await open()];
  const stream = streams.adopt(ended.res, GRANT);
  streams.adopt(left.res, GRANT);
  stream.end();
  left.client.socket.destroy();
  await eventually(() => left.res.destroyed);

  pass(3 * INTERVAL_MS);
  stream.write(': too late\n\n');

  expect(await ended.client.waitFor(/\r\n0\r\n\r\n$/)).not.toContain('keepalive');
  expect(left.res.writableLength).toBe(0);
});

test('a stream whose client has disconnected is taken out of the agenda of heartbeats', async () => {
  const end = await open();
  const stream = streams.adopt(end.res, GRANT);
  const { slot } = stream;
  const before = slot?.has(stream);

  end.client.socket.destroy();
  await once(end.res, 'close');

  expect(before).toBe(true);
  expect(slot?.has(stream)).toBe(false);
});

describe('a client that reads nothing', () => {
  /** A response with bytes that wait, also in its socket. */
  class Stalling extends PassThrough {
    readonly socket = { _handle: { writeQueueSize: 1 } };
    waitingBytes = 3 * 1024 * 1024;
    constructor() {
      super();
      Object.defineProperty(this, 'writableLength', { get: () => this.waitingBytes });
    }
  }

  /** A stream that is watched because much waits on it. */
  function watched() {
    const res = new Stalling();
    // As much of a response as a check needs.
    const stream = streams.adopt(res as unknown as ServerResponse, GRANT);
    streams.watch(stream);
    return { res, stream };
  }

  test('is cut when sixty further checks find the same bytes waiting', () => {
    const { res } = watched();

    pass(60 * 500);
    const early = res.destroyed;
    pass(500);

    expect([early, res.destroyed]).toEqual([false, true]);
  });

  test('is not cut until sixty checks after it has read something', () => {
    const { res, stream } = watched();
    const { waitingBytes } = res;

    pass(60 * 500);
    res.waitingBytes = 0;
    pass(500);
    res.waitingBytes = waitingBytes;
    streams.watch(stream);
    pass(60 * 500);
    const early = res.destroyed;
    pass(500);

    expect([early, res.destroyed]).toEqual([false, true]);
  });
});

test('a stream whose client has disconnected before it begins is not kept', async () => {
  const end = await open();
  end.client.socket.destroy();
  await once(end.res, 'close');

  const stream = streams.adopt(end.res, GRANT);
  let asked = 0;
  streams.endRevoked(() => (asked += 1) > 0);

  expect([stream.isOpen, stream.slot, asked]).toEqual([false, undefined, 0]);
});

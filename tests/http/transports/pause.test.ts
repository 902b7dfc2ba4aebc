/** `connection.pause`: a tool ends the response for a while if its client will return for the rest, and never otherwise. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Feature } from '../../../src/mcp/feature.ts';
import { eventually, openMcpSession, rpc, send, stateless } from '../../support/raw-http.ts';
import { openSse, openStream } from '../../support/sse-reader.ts';
import { ADA, startTestServer, type TestServer } from '../../support/start-server.ts';
import { createSteppedTool, type SteppedTool } from '../../support/stepped-tool.ts';

let server: TestServer;
let walk: SteppedTool;
afterEach(async () => {
  walk.finishAll();
  await server.close();
});

/** Starts a server with the tool `walk`. */
async function start(features: readonly { readonly name: string }[] = []): Promise<void> {
  walk = createSteppedTool();
  server = await startTestServer({ tools: [walk.tool], features });
}

const CALL = { name: 'walk', arguments: {}, _meta: { progressToken: 'p' } };

test.each([{ features: [] }, { features: [{ name: 'nothing' }] }])(
  'ends the response with a retry, and a client that resumes gets the rest: %j',
  async ({ features }) => {
    await start(features);
    const session = await openMcpSession(server.url, ADA);
    const opening = openStream(`${server.url}/mcp`, {
      headers: session.headers,
      body: rpc(1, 'tools/call', CALL),
    });
    const call = await walk.call();

    const hasPaused = call.context.connection.pause(250);
    const stream = await opening;
    const end = await stream.over();
    await call.step();
    const [id = ''] = stream.frames.flatMap((frame) => frame.id ?? []);
    const again = await openStream(`${server.url}/mcp`, {
      headers: { ...session.headers, 'Last-Event-ID': id },
    });
    await eventually(() => again.messages().length === 1);
    const hasPausedAgain = call.context.connection.pause(0);
    await again.over();
    call.finish('there');
    const third = await openStream(`${server.url}/mcp`, {
      headers: { ...session.headers, 'Last-Event-ID': again.frames.findLast((frame) => frame.id)?.id ?? '' },
    });

    expect([hasPaused, hasPausedAgain, end]).toEqual([true, true, 'ended']);
    expect(stream.frames).toEqual([{ comment: 'open' }, { id, data: '' }, { retry: '250' }]);
    // A client that was told a long time is told a short one again.
    expect(again.frames[1]).toEqual({ id, retry: '1000', data: '' });
    expect(again.frames.at(-1)).toEqual({ retry: '0' });
    expect(await third.answerTo(1)).toMatchObject({ result: { content: [{ text: 'there' }] } });
  },
);

test("is the SDK's `http.closeSSE` for a tool that a feature registers on the SDK, and absent for a client that cannot resume", async () => {
  walk = createSteppedTool();
  const closed: boolean[] = [];
  const closing: Feature = {
    name: 'closing',
    register: (mcp) =>
      void mcp.registerTool('close', {}, ({ http }) => {
        http?.closeSSE?.();
        closed.push(http?.closeSSE !== undefined);
        return { content: [{ type: 'text', text: 'there' }] };
      }),
  };
  server = await startTestServer({ tools: [walk.tool], features: [closing] });
  const session = await openMcpSession(server.url, ADA);
  const older = await openMcpSession(server.url, ADA, '2025-06-18');
  const call = rpc(1, 'tools/call', { name: 'close', arguments: {} });

  const stream = await openStream(`${server.url}/mcp`, { headers: session.headers, body: call });
  await stream.over();
  const [id = ''] = stream.frames.flatMap((frame) => frame.id ?? []);
  const again = await openStream(`${server.url}/mcp`, {
    headers: { ...session.headers, 'Last-Event-ID': id },
  });
  const plain = await older.post(call);

  expect(stream.frames.at(-1)).toEqual({ retry: '1000' });
  expect(await again.answerTo(1)).toMatchObject({ result: { content: [{ text: 'there' }] } });
  expect(plain.headers.get('content-type')).toBe('application/json');
  expect(closed).toEqual([true, false]);
});

test('is true and does nothing while the client is away, and is false after a cancellation', async () => {
  await start();
  const session = await openMcpSession(server.url, ADA);
  const opening = openStream(`${server.url}/mcp`, {
    headers: session.headers,
    body: rpc(1, 'tools/call', CALL),
  });
  const call = await walk.call();
  call.context.connection.pause(1);
  await (await opening).over();

  const again = call.context.connection.pause(1);
  await session.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } });
  const cancelled = call.context.connection.pause(1);

  expect([again, cancelled]).toEqual([true, false]);
});

describe('does not end the response to a client that would not return', () => {
  test.each([
    { what: 'in a session of 2025-06-18', revision: '2025-06-18', headers: {} },
    {
      what: 'for a client that accepts only JSON',
      revision: '2025-11-25',
      headers: { Accept: 'application/json' },
    },
  ])('$what', async ({ revision, headers }) => {
    await start();
    const session = await openMcpSession(server.url, ADA, revision);
    const answer = session.post(rpc(1, 'tools/call', CALL), { headers });
    const call = await walk.call();

    const hasPaused = call.context.connection.pause(100);
    call.finish('there');

    expect(hasPaused).toBe(false);
    expect(await answer).toMatchObject({ status: 200, body: { result: { content: [{ text: 'there' }] } } });
  });

  test('on HTTP+SSE', async () => {
    await start();
    const sse = await openSse(server.url, ADA);
    await sse.post(rpc(1, 'tools/call', CALL));
    const call = await walk.call();

    const hasPaused = call.context.connection.pause(100);
    call.finish('there');

    expect(hasPaused).toBe(false);
    expect(await sse.answerTo(1)).toMatchObject({ result: { content: [{ text: 'there' }] } });
    sse.close();
  });

  test.each([{ features: [] }, { features: [{ name: 'nothing' }] }])(
    'of 2026-07-28: %j',
    async ({ features }) => {
      await start(features);
      const answer = send(
        `${server.url}/mcp`,
        stateless({ method: 'tools/call', params: { name: 'walk', arguments: {} } }, { token: ADA }),
      );
      const call = await walk.call();

      const hasPaused = call.context.connection.pause(100);
      call.finish('there');

      expect(hasPaused).toBe(false);
      expect((await answer).text).toContain('there');
    },
  );
});

test.each([-1, 0.5, Number.NaN, 240_001])('throws for %d milliseconds', async (retryMs) => {
  await start();
  const session = await openMcpSession(server.url, ADA);
  void session.post(rpc(1, 'tools/call', CALL)).catch(() => undefined);
  const call = await walk.call();

  expect(() => call.context.connection.pause(retryMs)).toThrow(/whole milliseconds from 0 to 240000/);
});

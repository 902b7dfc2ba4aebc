/** Limits on what a body may hold: values and names in all, and in the parts that are small in every real body. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  type Answer,
  callTool,
  initialize,
  openMcpSession,
  type RawSession,
  rpc,
  send,
  stateless,
} from '../../support/raw-http.ts';
import { openStream } from '../../support/sse-reader.ts';
import { ADA, startTestServer, type TestServer } from '../../support/start-server.ts';

let server: TestServer;
let session: RawSession;
beforeAll(async () => {
  server = await startTestServer();
  session = await openMcpSession(server.url, ADA);
});
afterAll(async () => server.close());

/** The status of an answer, and the code and the name of its JSON-RPC error. */
function refusalOf({ status, body }: Answer): unknown[] {
  const { error } = body as { error?: { code: number; message: string; data?: { error: string } } };
  return [status, error?.code, error?.data?.error];
}

/** An object with so many members. */
function named(count: number): object {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`name_${index}`, 1]));
}

const TOO_COMPLEX = [400, -32_600, 'body_too_complex'];
const TOO_LARGE_PART = [400, -32_600, 'part_too_large'];

describe('a body', () => {
  // The message itself has eight names: jsonrpc, id, method, params, name, arguments, message and object.
  test.each([
    { count: 20_000 - 8, what: 'as many names as are allowed', refusal: [200, undefined, undefined] },
    { count: 20_000 - 7, what: 'one more', refusal: TOO_COMPLEX },
  ])('may hold 20,000 names and no more: $what', async ({ count, refusal }) => {
    const answer = await session.post(callTool(1, 'echo_message', { message: 'a', object: named(count) }));

    expect(refusalOf(answer)).toEqual(refusal);
  });

  test('may hold 100,000 values, and is refused with that limit above', async () => {
    const [below, above] = await Promise.all(
      [99_900, 100_000].map((count) =>
        session.post(callTool(count, 'echo_message', { message: 'a', list: Array(count).fill(0) })),
      ),
    );

    expect(below?.status).toBe(200);
    expect(above && refusalOf(above)).toEqual(TOO_COMPLEX);
    expect(above?.text).toContain('more than 100000 values');
    expect(above?.body).toMatchObject({ id: null });
  });

  test('may hold any text in a string, however much it looks like JSON', async () => {
    const message = '{"a":[1,2,\\"],'.repeat(50_000);

    const answer = await session.post(callTool(1, 'echo_message', { message }));

    expect(answer.body).toMatchObject({ result: { content: [{ type: 'text', text: message }] } });
  });
});

describe('a part of a message that is always small', () => {
  test.each([
    { what: '1,000 values', meta: named(999), refusal: [200, undefined, undefined] },
    { what: '1,001 values', meta: named(1_000), refusal: TOO_LARGE_PART },
    { what: '1,001 values with a list', meta: { list: Array(999).fill(0) }, refusal: TOO_LARGE_PART },
    { what: '64 Ki characters', meta: { x: 'x'.repeat(65_535) }, refusal: [200, undefined, undefined] },
    { what: 'one character more', meta: { x: 'x'.repeat(65_536) }, refusal: TOO_LARGE_PART },
    { what: 'a name that is too long', meta: { ['x'.repeat(65_537)]: 1 }, refusal: TOO_LARGE_PART },
  ])('_meta may hold 1,000 values and 64 Ki characters: $what', async ({ meta, refusal }) => {
    const answer = await session.post(rpc(1, 'tools/list', { _meta: meta }));

    expect(refusalOf(answer)).toEqual(refusal);
  });

  test('_meta is limited in stateless requests and in responses of the client, too', async () => {
    const [call, answer] = await Promise.all([
      send(`${server.url}/mcp`, stateless({ method: 'tools/list', params: { _meta: named(1_000) } }, { token: ADA })),
      session.post({ jsonrpc: '2.0', id: 1, result: { _meta: named(1_000) } }),
    ]); // prettier-ignore

    expect(refusalOf(call)).toEqual(TOO_LARGE_PART);
    expect(refusalOf(answer)).toEqual(TOO_LARGE_PART);
    expect(call.text).toContain('\\"_meta\\" must not hold more than 1000 values');
  });

  test.each(['capabilities', 'clientInfo'])(
    'the %s of initialize is limited, and a refused one opens no session',
    async (name) => {
      const { params } = initialize() as { params: Record<string, object> };
      const body = rpc(1, 'initialize', { ...params, [name]: { ...params[name], x: 'x'.repeat(65_536) } });

      const answer = await send(`${server.url}/mcp`, { token: ADA, body });

      expect(refusalOf(answer)).toEqual(TOO_LARGE_PART);
      expect(answer.headers.get('mcp-session-id')).toBeNull();
      expect(answer.body).toMatchObject({ id: 1 });
    },
  );
});

/** So many different URIs of resources. */
const resources = (count: number): string[] => Array.from({ length: count }, (_, index) => `note:${index}`);

/** The longest URI that is allowed. */
const LONGEST = `note:${'x'.repeat(2_043)}`;

/** Subscribes to a resource in a session. */
const subscribe = (uri: string): object => rpc(1, 'resources/subscribe', { uri });

/** Subscribes to resources without a session. */
const listen = (resourceSubscriptions: readonly string[]) =>
  stateless(
    { method: 'subscriptions/listen', params: { notifications: { resourceSubscriptions } } },
    { token: ADA },
  );

describe('the resources that a client subscribes to', () => {
  test.each([
    ['1,001 resources', resources(1_001)],
    ['a URI of 2,049 characters', [`${LONGEST}x`]],
  ])('are refused, and no subscription begins: %s', async (_what, uris) => {
    const answer = await send(`${server.url}/mcp`, listen(uris));

    expect(refusalOf(answer)).toEqual([400, -32_602, 'too_many_resources']);
    expect(answer.text).toContain('at most 1000 resources');
    expect(answer.body).toMatchObject({ id: 1 });
  });

  test('may be 1,000, with URIs of 2,048 characters', async () => {
    const stream = await openStream(`${server.url}/mcp`, listen([...resources(999), LONGEST]));
    await stream.waitFor(({ data = '' }) => data.includes('acknowledged'));
    stream.close();

    expect(stream.headers.get('content-type')).toBe('text/event-stream');
  });

  test('belong to a subscription whose id is limited: each of its messages repeats it', async () => {
    const body = { ...(listen(['note:1']).body as object), id: 'x'.repeat(65_537) };

    const answer = await send(`${server.url}/mcp`, { ...listen(['note:1']), body });

    expect(refusalOf(answer)).toEqual(TOO_LARGE_PART);
  });

  test('have URIs of at most 2,048 characters in a session, too', async () => {
    const long = await session.post(subscribe(`${LONGEST}x`));
    const short = await session.post(subscribe(LONGEST));

    expect(refusalOf(long)).toEqual([400, -32_602, 'too_many_resources']);
    expect(refusalOf(short)[2]).not.toBe('too_many_resources');
  });
});

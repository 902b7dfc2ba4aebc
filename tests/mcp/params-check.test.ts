/** Params of the wrong type are -32602 on every transport, and unknown methods stay -32601. */
import { PassThrough } from 'node:stream';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Feature } from '../../src/mcp/feature.ts';
import { createMcpServer } from '../../src/mcp/server.ts';
import { PatientStdio } from '../../src/server/patient-stdio.ts';
import { fixtureTools } from '../../lab/fixture/tools.mjs';
import { createCaller, createDefinition } from '../support/in-memory-mcp.ts';
import { initialize, openMcpSession, rpc, send, stateless } from '../support/raw-http.ts';
import { openSse } from '../support/sse-reader.ts';
import { ADA, startTestServer, type TestServer } from '../support/start-server.ts';

const logging: Feature = { name: 'logging', options: { capabilities: { logging: {} } } };

/** A feature with a prompt whose answer cannot be written as JSON. */
const rows: Feature = {
  name: 'rows',
  register: (it) =>
    void it.registerPrompt('rows', { description: 'Rows.' }, () => ({
      messages: [],
      _meta: { 'x/rows': 5n },
    })),
};

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ features: [logging] });
});
afterAll(async () => {
  await server.close();
});

/** What a stdio server answers to these messages, by id. */
async function answersOnStdio(
  messages: readonly object[],
  feature = logging,
): Promise<ReadonlyMap<unknown, object>> {
  const { definition } = createDefinition({ tools: fixtureTools, features: [feature] });
  const [input, output] = [new PassThrough(), new PassThrough()];
  serveStdio(
    () => createMcpServer(definition, { caller: () => createCaller({ userId: 'ada' }, 'request-1') }),
    {
      transport: new PatientStdio({ input, output }),
    },
  );
  input.end(messages.map((message) => `${JSON.stringify(message)}\n`).join(''));
  const answers = new Map<unknown, object>();
  let text = '';
  for await (const part of output) {
    text += String(part);
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) {
      const answer = JSON.parse(line) as { id?: unknown };
      answers.set(answer.id, answer);
    }
    if (answers.size === messages.length) break;
  }
  return answers;
}

const WRONG: [string, unknown][] = [
  ['tools/list', { cursor: {} }],
  ['tools/list', { cursor: 5 }],
  ['tools/call', { name: 5 }],
  ['tools/call', { name: 'whoami', arguments: [] }],
  ['tools/call', {}],
  ['logging/setLevel', { level: 'loud' }],
];

describe.each(WRONG)('%s with %j', (method, params) => {
  test('is -32602 over Streamable HTTP, and the session stays open', async () => {
    const session = await openMcpSession(server.url, ADA);

    const answer = await session.post(rpc('x', method, params));
    const after = await session.post(rpc('y', 'ping'));

    expect(answer.body).toMatchObject({ id: 'x', error: { code: -32_602 } });
    expect(after.body).toEqual({ result: {}, jsonrpc: '2.0', id: 'y' });
  });

  test('is -32602 on the stream of HTTP+SSE', async () => {
    const session = await openSse(server.url, ADA);

    await session.post(rpc(7, method, params));
    const answer = await session.answerTo(7);
    session.close();

    expect(answer).toMatchObject({ id: 7, error: { code: -32_602 } });
  });

  test('is -32602 over stdio', async () => {
    const answers = await answersOnStdio([initialize(), rpc(7, method, params)]);

    expect(answers.get(7)).toMatchObject({ error: { code: -32_602 } });
  });
});

describe('a stateless tools/list with a cursor of the wrong type', () => {
  const request = stateless({ method: 'tools/list', params: { cursor: 5 } }, { id: 7, token: ADA });

  test('is -32602 over Streamable HTTP', async () => {
    const answer = await send(`${server.url}/mcp`, request);

    expect(answer.body).toMatchObject({ id: 7, error: { code: -32_602 } });
  });

  test('is -32602 over stdio', async () => {
    const answers = await answersOnStdio([request.body as object]);

    expect(answers.get(7)).toMatchObject({ error: { code: -32_602 } });
  });
});

test('initialize without clientInfo is -32602 over stdio', async () => {
  const params = { protocolVersion: '2025-11-25', capabilities: {} };

  const answers = await answersOnStdio([rpc(7, 'initialize', params)]);

  expect(answers.get(7)).toMatchObject({ error: { code: -32_602 } });
});

test('an unknown method is -32601, whatever its params', async () => {
  const session = await openMcpSession(server.url, ADA);

  const answer = await session.post(rpc(1, 'prompts/get', { name: 5 }));

  expect(answer.body).toMatchObject({ id: 1, error: { code: -32_601 } });
});

test('an answer of a feature that cannot be written as JSON is -32603 over stdio, and later requests are answered', async () => {
  const asked = rpc('x', 'prompts/get', { name: 'rows' });
  const answers = await answersOnStdio([initialize(), asked, rpc('y', 'ping')], rows);

  expect(answers.get('x')).toMatchObject({ error: { code: -32_603 } });
  expect(answers.get('y')).toMatchObject({ result: {} });
});

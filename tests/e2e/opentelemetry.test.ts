/** deploy/opentelemetry.mjs with OpenTelemetry's own packages: the spans of calls as a collector gets them, over HTTP and stdio. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import path from 'node:path';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createSandbox, ROOT, waitFor, waitForEnd } from '../support/process.ts';
import { callTool, send } from '../support/raw-http.ts';
import { fixtureEntry, startServer, TOKEN, WITH_TOKENS } from '../support/server-process.ts';
import { connectStdio } from '../support/stdio-clients.ts';

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const CLIENT_SPAN = '00f067aa0ba902b7';
const TRACE = { traceparent: `00-${TRACE_ID}-${CLIENT_SPAN}-01`, baggage: 'a=b' };

/** OTLP's number for a span of a server, and for an error. */
const [SERVER, ERROR] = [2, 2];

/** A value of OTLP. */
interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string };
}

/** A span of OTLP. */
interface Span {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly status: { readonly code: number };
  readonly attributes: readonly Attribute[];
}

/** What an exporter sends. */
interface Sent {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

const sandbox = createSandbox();
const received: Sent[] = [];
let collector: Server;
let env: Readonly<Record<string, string>>;

beforeAll(async () => {
  collector = createServer((request, response) => {
    void json(request).then((body) => received.push(body as Sent));
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  await once(collector.listen(0, '127.0.0.1'), 'listening');
  const address = collector.address();
  if (address === null || typeof address === 'string') throw new Error('No port.');
  env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${address.port}`,
    OTEL_SERVICE_NAME: 'tutor',
    // What is not sent when the server is told to end would wait a minute.
    OTEL_BSP_SCHEDULE_DELAY: '60000',
  };
});
afterAll(async () => {
  await sandbox.close();
  collector.closeAllConnections();
  collector.close();
});

/** The command of a server under test, with the recipe loaded first. */
function traced(transport: 'http' | 'stdio'): string[] {
  return ['--import', path.join(ROOT, 'deploy/opentelemetry.mjs'), ...fixtureEntry(transport, 'outside')];
}

/** The span of a name, as soon as it has come. */
async function spanNamed(name: string): Promise<Span> {
  return waitFor(`the span ${name}`, () =>
    received
      .flatMap(({ resourceSpans }) => resourceSpans)
      .flatMap(({ scopeSpans }) => scopeSpans)
      .flatMap(({ spans }) => spans)
      .find((span) => span.name === name),
  );
}

/** Attributes by their names. */
function textsOf(attributes: readonly Attribute[]): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue]));
}

test('a call is a span of its client’s trace, and what its tool does is part of it', async () => {
  const server = await startServer(sandbox, {
    ...WITH_TOKENS,
    env: { ...WITH_TOKENS.env, ...env },
    entry: traced('http'),
  });
  const options = { token: TOKEN.ada };
  const call = {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'outside', arguments: {}, _meta: TRACE },
  };

  const answer = await send(`${server.url}/mcp`, { ...options, body: call });
  await send(`${server.url}/mcp`, { ...options, body: callTool(2, 'echo_message', {}) });
  await send(`${server.url}/mcp`, { ...options, body: callTool(3, 'sEcReT') });
  server.child.kill('SIGTERM');
  const { code } = await waitForEnd(server);

  const [span, own] = [await spanNamed('tools/call outside'), await spanNamed('own work')];
  expect(span).toMatchObject({ traceId: TRACE_ID, parentSpanId: CLIENT_SPAN, kind: SERVER });
  expect(own).toMatchObject({ traceId: TRACE_ID, parentSpanId: span.spanId });
  expect(textsOf(span.attributes)).toEqual({
    'mcp.method.name': 'tools/call',
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': 'outside',
    'network.transport': 'tcp',
    'network.protocol.name': 'http',
    'user.id': 'ada',
  });
  // Outside calls go on from this span.
  const handedOn = `{"traceparent":"00-${TRACE_ID}-${span.spanId}-01","baggage":"a=b"}`;
  expect(answer.body).toMatchObject({ result: { content: [{ text: handedOn }] } });

  const refused = await spanNamed('tools/call echo_message');
  expect(refused.status.code).toBe(ERROR);
  expect(textsOf(refused.attributes)).toMatchObject({ 'error.type': 'invalid_input' });
  expect(await spanNamed('tools/call (unknown)')).toMatchObject({ status: { code: ERROR } });
  // Without a trace of the client, the call begins one, and its line in the log leads to it.
  const lines = server.log().filter(({ msg }) => msg === 'tool call');
  expect(lines.map(({ tool, traceId }) => [tool, traceId])).toContainEqual(['echo_message', refused.traceId]);
  expect(JSON.stringify(received)).not.toContain('sEcReT');
  expect(textsOf(received[0]?.resourceSpans[0]?.resource.attributes ?? [])).toMatchObject({
    'service.name': 'tutor',
  });
  expect(code).toBe(0);
});

test('over stdio it is one too', async () => {
  const cwd = await sandbox.folder();
  const client = await connectStdio(sandbox, 'v2', {
    args: traced('stdio'),
    cwd,
    env: { ...env, OTEL_BSP_SCHEDULE_DELAY: '50' },
  });
  await client.call('whoami');

  const { attributes } = await spanNamed('tools/call whoami');
  expect(textsOf(attributes)).toMatchObject({
    'network.transport': 'pipe',
    'mcp.protocol.version': '2025-11-25',
  });
});

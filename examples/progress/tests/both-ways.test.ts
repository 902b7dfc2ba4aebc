/** With the example's features, plain messages take the fast lane past the SDK, and every answer is what the SDK alone would give. */
import { afterAll, beforeAll, expect } from '@jest/globals';
import * as fc from 'fast-check';
import type { Feature } from '../../../src/mcp/feature.ts';
import { testEach } from '../../../tests/support/in-ci.ts';
import { createSandbox } from '../../../tests/support/process.ts';
import { openMcpSession, type RawSession, rpc, send, stateless } from '../../../tests/support/raw-http.ts';
import { ADA, GREETER, startTestServer, type TestServer } from '../../../tests/support/start-server.ts';
import { definition } from '../definition.ts';

/** A feature that keeps state of each session makes the SDK answer everything. */
const NO_SHORT_WAY: Feature = { name: 'nothing', keepsSessionState: true };

const sandbox = createSandbox();
let servers: readonly TestServer[];

/** Starts the example with these features, on a database of its own. */
async function start(features: readonly Feature[]): Promise<TestServer> {
  const env = { DATABASE_URL: `sqlite:${await sandbox.folder()}/test.db` };
  return startTestServer({ ...definition, features, env });
}

beforeAll(async () => {
  const { features = [] } = definition;
  servers = await Promise.all([start(features), start([...features, NO_SHORT_WAY])]);
});
afterAll(async () => {
  await Promise.all(servers.map(async (server) => server.close()));
  await sandbox.close();
});

/** Requests that clients make of the example, valid and invalid ones. */
const asked = fc.constantFrom<{
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>>;
}>(
  { method: 'tools/list' },
  { method: 'prompts/list' },
  { method: 'resources/list' },
  { method: 'resources/templates/list' },
  { method: 'tools/call', params: { name: 'my_progress', arguments: {} } },
  { method: 'tools/call', params: { name: 'next_exercise', arguments: { lesson: 'greetings' } } },
  { method: 'tools/call', params: { name: 'next_exercise', arguments: {} } },
  {
    method: 'tools/call',
    params: { name: 'record_attempt', arguments: { exercise: 'greetings-1', answer: 'hola' } },
  },
  {
    method: 'tools/call',
    params: { name: 'record_attempt', arguments: { exercise: 'greetings-2', answer: 'hola' } },
  },
  { method: 'tools/call', params: { name: 'record_attempt', arguments: { exercise: 5 } } },
  { method: 'tools/call', params: { name: 'nobody', arguments: {} } },
  { method: 'prompts/get', params: { name: 'daily_review', arguments: {} } },
  { method: 'prompts/get', params: { name: 'daily_review', arguments: { days: 'few' } } },
  { method: 'resources/read', params: { uri: 'lesson://greetings' } },
  { method: 'resources/read', params: { uri: 'lesson://food' } },
  { method: 'resources/read', params: { uri: 'ui://progress/view.html' } },
  {
    method: 'completion/complete',
    params: { ref: { type: 'ref/resource', uri: 'lesson://{id}' }, argument: { name: 'id', value: '' } },
  },
);

/** A sequence of requests, one after the other, since what is written changes what is read. */
const conversation = fc.array(asked, { minLength: 1, maxLength: 10 });

testEach([
  ['a user who may do everything', ADA],
  ['a user who lacks the scope', GREETER],
])('for %s, on a session and statelessly', async (_user, token) => {
  const sessions: RawSession[] = [];
  for (const { url } of servers) sessions.push(await openMcpSession(url, token));
  let id = 0;
  await fc.assert(
    fc.asyncProperty(conversation, async (messages) => {
      for (const message of messages) {
        id += 1;
        const onSessions = await Promise.all(
          sessions.map(async (session) => (await session.post(rpc(id, message.method, message.params))).text),
        );
        const alone = await Promise.all(
          servers.map(async ({ url }) => (await send(`${url}/mcp`, stateless(message, { id, token }))).text),
        );

        expect(onSessions[0]).toBe(onSessions[1]);
        expect(alone[0]).toBe(alone[1]);
        expect(onSessions[0]).not.toContain('Internal error');
      }
    }),
    { numRuns: 8 },
  );
});

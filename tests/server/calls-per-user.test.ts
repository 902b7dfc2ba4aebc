/** MAX_CALLS_IN_FLIGHT_PER_USER: across all connections of a user, and for no other user. */
import { expect, test } from '@jest/globals';
import { createHeldTool } from '../support/held-tool.ts';
import { callTool, send } from '../support/raw-http.ts';
import { ADA, BOB, startTestServer } from '../support/start-server.ts';

test("a call beyond the limit is refused, another user's is not", async () => {
  const held = createHeldTool();
  const server = await startTestServer({ tools: [held.tool], env: { MAX_CALLS_IN_FLIGHT_PER_USER: '1' } });
  const call = async (token: string) => send(`${server.url}/mcp`, { token, body: callTool(1, 'hold') });

  const first = call(ADA);
  await held.untilWaiting(1);
  const second = await call(ADA);
  const others = call(BOB);
  await held.untilWaiting(2);
  held.release();

  expect(JSON.stringify(second.body)).toContain('too_many_calls: 1 calls of this user are running');
  expect(JSON.stringify([(await first).body, (await others).body])).not.toContain('too_many_calls');
  await server.close();
});

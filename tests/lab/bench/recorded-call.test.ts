/** Calls as real clients send them: what was recorded, byte for byte, and the right answer over `/mcp` and `/sse`. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CLIENT_INFO_META_KEY } from '@modelcontextprotocol/server';
import { openClient } from '../../../lab/bench/load/clients.ts';
import { createRecordedCall } from '../../../lab/bench/load/recorded-call.ts';
import { createKnownCall } from '../../../lab/bench/load/requests.ts';
import { REAL_ROW } from '../../../lab/bench/measure/real-row.ts';
import { readRecordedClients } from '../../../lab/fixture/recorded-clients.ts';
import { shownName } from '../../../src/log.ts';
import { clientNameOf } from '../../../src/mcp/call-records.ts';
import { ADA, startTestServer, type TestServer } from '../../support/start-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => server.close());

describe.each(readRecordedClients().map((client) => [client.name, client] as const))('%s', (name, client) => {
  test('is repeated with all that it says, in its order', () => {
    const { message } = createRecordedCall(name, createKnownCall({ isStateless: client.isStateless }));

    const { call } = client;
    const own = JSON.stringify(call.params?.['arguments']);
    expect(message(77)).toBe(
      JSON.stringify({ ...call, id: 77 })
        .replace('"echo_message"', '"get_greeting"')
        .replace(own, '{"name":"Ada"}'),
    );
  });

  test.each(client.isStateless ? (['stateless'] as const) : (['streamable', 'sse'] as const))(
    'is answered over %s',
    async (transport) => {
      const port = Number(new URL(server.url).port);
      const opened = await openClient({
        port,
        posts: [port],
        workload: { kind: 'call', transport, sentAs: name },
        index: 0,
        tokens: { count: 1, step: 1, text: ADA },
      });

      await opened.call();
      await opened.call();
      opened.close();

      // Its session was opened as that client opens it.
      const said = client.hello?.params?.['clientInfo'] ?? client.call.params?._meta?.[CLIENT_INFO_META_KEY];
      const shown = shownName(clientNameOf(said) ?? '');
      expect(shown).toMatch(/\d$/);
      const calls = server.lines.filter(({ msg }) => msg === 'tool call').slice(-2);
      expect(calls.map((line) => line['client'])).toEqual(Array(2).fill(shown));
    },
  );
});

test('every client that was recorded is measured beside the bare call, on its own transport', () => {
  const goals = REAL_ROW.goals ?? [];

  expect(goals.map(({ of }) => of)).toEqual(
    expect.arrayContaining(
      readRecordedClients().map(
        ({ name, isStateless }) => `${isStateless ? 'stateless' : 'streamable'}, ${name}`,
      ),
    ),
  );
  for (const { of, to, atMost } of goals) expect([to, atMost]).toEqual([`${of.split(',')[0]}, bare`, 1.15]);
});

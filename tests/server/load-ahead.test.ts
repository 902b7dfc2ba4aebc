/** What is loaded after the start: the modules for this server's routes, one after another, whatever fails. */
import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { loadAhead } from '../../src/server/load-ahead.ts';
import { startTestServer } from '../support/start-server.ts';

test('the older SDK is loaded ahead only when HTTP+SSE is served', async () => {
  const withSse = await startTestServer();
  const without = await startTestServer({ env: { SSE_ENABLED: 'false' } });

  const loaded = await Promise.all(
    [withSse, without].map(async ({ loads }) => Promise.all(loads.map(async (load) => load()))),
  );
  const names = loaded.map((modules) =>
    modules.map((found) =>
      // Files that are read ahead stand beside modules in the list.
      Object.keys(found ?? {})
        .toSorted()
        .join(),
    ),
  );

  const olderSdk: unknown = expect.stringContaining('SSEServerTransport');
  expect(names[0]).toContainEqual(olderSdk);
  expect(names[1]).not.toContainEqual(olderSdk);
  expect(names[1]).toContainEqual(expect.stringContaining('Router'));
  await Promise.all([withSse.close(), without.close()]);
});

test('a module that cannot be loaded is logged, and the next one is loaded', async () => {
  const lines: unknown[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const loads = [async () => Promise.reject(new Error('gone')), async () => lines.push('loaded')];

  await loadAhead(loads, log);

  expect(lines).toMatchObject([{ level: 50, err: { message: 'gone' } }, 'loaded', { msg: 'loaded ahead' }]);
});

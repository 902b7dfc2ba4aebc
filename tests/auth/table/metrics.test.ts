/** What `/metrics` shows about tokens in a database: how many there are, and whether the database is reachable. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { defineService } from '../../../src/mcp/service.ts';
import { describeForBoth, type TestDatabases } from '../../support/databases.ts';
import { createSandbox } from '../../support/process.ts';
import { eventually, send } from '../../support/raw-http.ts';
import { startTestServer } from '../../support/start-server.ts';

const TOKEN = 'scrape_0123456789abcdef';

/** The lines about tokens. */
function standing(isUp: number): string[] {
  return ['mcp_server_tokens 1', `mcp_server_dependency_up{dependency="tokens"} ${isUp}`];
}

describeForBoth('tokens in a database', (startDatabases) => {
  const sandbox = createSandbox();
  let databases: TestDatabases;
  beforeAll(async () => {
    databases = await startDatabases(sandbox);
  }, 60_000);
  afterAll(async () => sandbox.close());

  test('are counted, and the loss and return of the database shows once, beside a service of the same name', async () => {
    const server = await startTestServer({
      services: [defineService({ name: 'tokens', open: () => 1 })],
      env: {
        TOKENS_STORE: 'database',
        DATABASE_URL: await databases.create(),
        TOKENS_FILE: '',
        ADMIN_TOKEN: 'the-first-admin-token-of-20',
        METRICS_TOKEN: TOKEN,
      },
    });
    const scrape = async (): Promise<string[]> => {
      const { text } = await send(`${server.url}/metrics`, { token: TOKEN });
      return text.split('\n').filter((line) => /^mcp_server_(tokens|dependency_up)\b/.test(line));
    };
    const becomes = async (isUp: number): Promise<void> =>
      eventually(async () => (await scrape()).at(-1) === standing(isUp).at(-1), { deadlineMs: 15_000 });

    expect(await scrape()).toEqual(standing(1));
    await databases.takeAway();
    await becomes(0);
    expect(await scrape()).toEqual(standing(0));
    await databases.giveBack();
    await becomes(1);

    await server.close();
  }, 60_000);
});

/** docs/grafana.json against a real Prometheus that scrapes a real server: every query is right, and shows what has happened. */
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { defineService } from '../../src/mcp/service.ts';
import { findFreePort } from '../support/free-port.ts';
import { createSandbox, ROOT, waitFor } from '../support/process.ts';
import { callTool, openMcpSession, send } from '../support/raw-http.ts';
import { ADA, startTestServer, type TestServer } from '../support/start-server.ts';

/** Whether there is one. Debian: `apt-get install prometheus`. */
const isInstalled = spawnSync('prometheus', ['--version']).status === 0;

/** Prometheus itself takes a second to start. */
const PATIENT = { timeoutMs: 30_000 };

const TOKEN = 'scrape_0123456789abcdef';

/** A panel of the dashboard. */
interface Panel {
  readonly title: string;
  readonly targets: readonly { readonly expr: string }[];
}

/** What Prometheus answers to a query. */
interface Found {
  readonly status: string;
  readonly data?: { readonly result: readonly unknown[] };
  readonly error?: string;
}

/** A query as Grafana would send it. */
function filledIn(expr: string): string {
  return expr.replaceAll('$__rate_interval', '30s').replaceAll('$job', '.*');
}

/** Has a server do what the dashboard is about. */
async function keepBusy({ url }: TestServer): Promise<void> {
  const session = await openMcpSession(url, ADA);
  for (let id = 0; id < 3; id += 1) await session.post(callTool(id, 'whoami'));
  await session.post(callTool(9, 'echo_message', {}));
  await send(`${url}/tools`, { token: 'tok_wrong' });
}

(isInstalled ? describe : describe.skip)('the dashboard', () => {
  const sandbox = createSandbox();
  let server: TestServer;
  let api: string;
  let panels: readonly Panel[];

  beforeAll(async () => {
    server = await startTestServer({
      services: [defineService({ name: 'something', open: () => 1 })],
      env: { METRICS_TOKEN: TOKEN, METRICS_USERS: 'true', CALLS_PER_MINUTE: '6' },
    });
    const { host } = new URL(server.url);
    const cwd = await sandbox.folder({
      'prometheus.yml': `
global: { scrape_interval: 250ms, scrape_timeout: 250ms }
scrape_configs:
  - job_name: mcp
    authorization: { credentials: ${TOKEN} }
    static_configs: [{ targets: ['${host}'] }]
`,
    });
    const port = await findFreePort();
    sandbox.spawn({
      command: 'prometheus',
      args: [
        '--config.file=prometheus.yml',
        '--storage.tsdb.path=data',
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      cwd,
    });
    api = `http://127.0.0.1:${port}/api/v1/query`;
    const text = await readFile(path.join(ROOT, 'docs/grafana.json'), 'utf8');
    ({ panels } = JSON.parse(text) as { panels: readonly Panel[] });
    await waitFor('the first scrape', async () => (await ask('up == 1')).data?.result.length === 1, PATIENT);
  }, 40_000);
  afterAll(async () => {
    await server.close();
    await sandbox.close();
  });

  /** What Prometheus finds at this moment. */
  async function ask(query: string): Promise<Found> {
    const answer = await fetch(`${api}?query=${encodeURIComponent(query)}`).catch(() => undefined);
    // While it starts, it says so in words.
    const isJson = answer?.headers.get('content-type')?.startsWith('application/json') === true;
    return isJson ? ((await answer.json()) as Found) : { status: 'unreachable' };
  }

  test('has queries that are right, and all of them find something once something has happened', async () => {
    const queries = panels.flatMap(({ title, targets }) =>
      targets.map(({ expr }) => ({ title, query: filledIn(expr) })),
    );

    const problems: string[] = [];
    for (const { title, query } of queries) {
      const { status, error } = await ask(query);
      if (status !== 'success') problems.push(`${title}: ${error}`);
    }
    // Rates need a value before and one after.
    await keepBusy(server);
    const silent = new Set(queries);
    await waitFor(
      'every query to find something',
      async () => {
        await keepBusy(server);
        for (const one of silent) {
          const found = (await ask(one.query)).data?.result ?? [];
          if (found.length > 0) silent.delete(one);
        }
        return silent.size === 0;
      },
      PATIENT,
    );

    expect(problems).toEqual([]);
    expect(queries.length).toBeGreaterThan(15);
  }, 60_000);
});

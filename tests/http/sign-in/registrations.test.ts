/** Many registrations: the server keeps no memory of them, every client id is valid, and one address may make only so many. */
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';
import { type ServerChild, startServerChild } from '../../../lab/fuzz/server-child.ts';
import { builtFile } from '../../support/process.ts';
import { testInCi } from '../../support/in-ci.ts';
import { eventually, send } from '../../support/raw-http.ts';
import { allow, askFor, LOOPBACK, newSecret, openPage, register } from '../../support/sign-in.ts';
import { ADA, startTestServer } from '../../support/start-server.ts';

/** How many. Each takes about a millisecond. */
const MANY = 20_000;

/** The number of parts; the heap is measured after each. */
const ROUNDS = 5;

const METADATA = JSON.stringify({ redirect_uris: [LOOPBACK], token_endpoint_auth_method: 'none' });

/** Registers so many clients over a few connections; resolves to their ids. */
async function registerMany(origin: string, count: number): Promise<Set<string>> {
  const agent = new Agent({ keepAlive: true });
  const ids = new Set<string>();
  let left = count;
  const work = async (): Promise<void> => {
    for (; left > 0; left -= 1) {
      const asking = request(`${origin}/register`, {
        agent,
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'Content-Length': METADATA.length },
      });
      asking.end(METADATA);
      const [response] = (await once(asking, 'response')) as [IncomingMessage];
      ids.add(String((JSON.parse(await readText(response)) as { client_id?: string }).client_id));
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
  agent.destroy();
  return ids;
}

/** The heap that a server still uses after a garbage collection. Bytes. */
async function heapOf(child: ServerChild): Promise<number> {
  const before = child.stdout().length;
  child.signal('SIGUSR2');
  await eventually(() => child.stdout().slice(before).includes('\n'));
  return (JSON.parse(child.stdout().slice(before)) as { heapMb: number }).heapMb * 2 ** 20;
}

testInCi(
  'thousands of registrations do not grow the heap, and their client ids are valid',
  async () => {
    const child = await startServerChild({
      script: builtFile('lab/fixture/main.js'),
      tokens: { [ADA]: { userId: 'ada' } },
      env: { SERVER_SECRET: newSecret(), AUTH_FAILURES_PER_MINUTE: '1000000' },
      nodeArgs: ['--expose-gc', '--import', builtFile('lab/soak/heap-signal.js')],
    });
    const { origin } = child.url;
    // By then, what the server loads after its start is on the heap.
    await eventually(() => child.logStart().includes('loaded ahead'), { deadlineMs: 20_000 });
    await registerMany(origin, MANY / 10);
    const heaps = [await heapOf(child)];

    const ids: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      ids.push(...(await registerMany(origin, MANY / ROUNDS)));
      heaps.push(await heapOf(child));
    }
    // What is kept of a registration would grow the heap in every round.
    const grownKib = Math.min(...heaps.slice(1).map((heap, index) => heap - (heaps[index] ?? 0))) / 1024;
    const pages = await Promise.all(
      [ids[0], ids.at(-1)].map(async (id = '') => (await openPage(origin, askFor(origin, id))).status),
    );
    const ending = await child.stop();

    expect(ids.length).toBeGreaterThanOrEqual(MANY);
    // The ids alone, if kept, would be twice as much.
    expect(grownKib).toBeLessThan(MANY / ROUNDS / 20);
    expect(pages).toEqual([200, 200]);
    expect(ending).toBeUndefined();
  },
  120_000,
);

test('registrations of one address are limited, but registered clients can still sign in', async () => {
  const { url, close } = await startTestServer({
    env: { SERVER_SECRET: newSecret(), AUTH_FAILURES_PER_MINUTE: '1' },
  });
  const clients = [];
  for (let index = 0; index < 10; index += 1) clients.push(await register(url));

  const refused = await send(`${url}/register`, { body: { redirect_uris: [LOOPBACK] } });
  const callback = await allow(url, askFor(url, String(clients[0]?.['client_id'])), ADA);
  await close();

  expect(refused).toMatchObject({ status: 429, body: { error: 'too_many_registrations' } });
  expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
  expect(callback.searchParams.get('code')).toBeTruthy();
});

test('reads of client documents are limited per address, but known clients can still sign in', async () => {
  // Nothing listens there.
  const host = '127.0.0.1:1';
  const { url, close } = await startTestServer({
    env: { SERVER_SECRET: newSecret(), AUTH_FAILURES_PER_MINUTE: '2', OAUTH_CLIENT_HOSTS: host },
  });
  const open = async (clientId: string) => openPage(url, askFor(url, clientId));
  const registered = String((await register(url))['client_id']);

  const answers = [];
  for (const name of ['a', 'b', 'a', 'c']) answers.push(await open(`https://${host}/${name}.json`));
  const page = await open(registered);
  await close();

  expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 429]);
  expect(answers[3]?.text).toContain(
    'Too many client metadata documents have been requested from this address.',
  );
  expect(answers[3]?.headers.get('retry-after')).toMatch(/^\d+$/);
  expect(page.status).toBe(200);
});

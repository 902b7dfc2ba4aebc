/** The token file is edited in every way while real clients call without a pause: no valid request is refused. */
import { open, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import { CLIENT_KINDS, connectClient, type TestClient } from '../support/clients.ts';
import { testInCi } from '../support/in-ci.ts';
import { openStream } from '../support/open-streams.ts';
import { atMost, createSandbox, waitFor } from '../support/process.ts';
import {
  type ServerProcess,
  startServer,
  TOKEN,
  TOKENS_JSON,
  WITH_TOKENS,
} from '../support/server-process.ts';

const sandbox = createSandbox();
afterEach(async () => sandbox.close());

/** Ten clients call meanwhile, which is what it costs. Elsewhere than in CI the revocation has some of them behind it. */
const REWRITES = 100;

/** Ten clients without a pause take what the machine has; where it is shared, that takes longer. Milliseconds. */
const LOADED_TIMEOUT_MS = 120_000;

testInCi(
  'dozens of rewrites of the token file under load cause no refusal of a valid request',
  async () => {
    const server = await startServer(sandbox, WITH_TOKENS);
    const ada = await startLoad(server, { token: TOKEN.ada, userId: 'ada' });
    const bob = await startLoad(server, { token: TOKEN.bob, userId: 'bob' });

    await rewriteTokens(server, { times: REWRITES });
    const results = [await ada.stop(), await bob.stop()];

    const count = (msg: string): number => server.log().filter((line) => line['msg'] === msg).length;
    const reloads = count('token file reloaded');
    const broken = count('token file cannot be used; the last good tokens stay in force');
    const calls = results.map(({ answered }) => answered);
    process.stderr.write(`${calls.join(' + ')} calls, ${reloads} reloads, ${broken} broken versions seen\n`);
    expect(results.flatMap(({ failures }) => failures)).toEqual([]);
    expect(Math.min(...calls)).toBeGreaterThan(REWRITES);
    // Otherwise the server has not noticed what the test did, and nothing is proven.
    expect(reloads).toBeGreaterThan(REWRITES / 10);
    expect(broken).toBeGreaterThan(REWRITES / 20);
  },
  LOADED_TIMEOUT_MS,
);

testInCi(
  'revoking a user under load refuses only that user, whose streams end within 2 s',
  async () => {
    const server = await startServer(sandbox, WITH_TOKENS);
    const ada = await startLoad(server, { token: TOKEN.ada, userId: 'ada' });
    const bob = await startLoad(server, { token: TOKEN.bob, userId: 'bob' });
    const streamsOf = async (token: string) =>
      Promise.all([
        openStream(sandbox, { url: new URL('/sse', server.url), token }),
        openSessionStream(server, token),
      ]);
    const [adaStreams, bobStreams] = [await streamsOf(TOKEN.ada), await streamsOf(TOKEN.bob)];
    await rewriteTokens(server, { times: 10 });
    const before = { ada: ada.failures.length, bob: bob.failures.length };

    const { [TOKEN.bob]: _removed, ...others } = JSON.parse(TOKENS_JSON) as Record<string, unknown>;
    const removedMs = performance.now();
    await writeFile(tokensPath(server), JSON.stringify(others));
    const bobEnded = await Promise.all(
      bobStreams.map(async ({ ended }) =>
        ended.then((clean) => ({ clean, afterMs: performance.now() - removedMs })),
      ),
    );
    await waitFor('every client of bob to be refused', () => bob.refusedClients() === CLIENT_KINDS.length);
    const refusedMs = performance.now() - removedMs;
    const adaOpen = adaStreams.map((stream) => stream.isOpen());
    const [adaResult] = [await ada.stop(), await bob.stop()];

    const slowestMs = Math.max(...bobEnded.map(({ afterMs }) => afterMs));
    process.stderr.write(
      `streams ended ${Math.round(slowestMs)} ms, calls refused ${Math.round(refusedMs)} ms after the edit\n`,
    );
    expect(before).toEqual({ ada: 0, bob: 0 });
    expect(bobEnded.map(({ clean }) => clean)).toEqual([true, true]);
    expect(slowestMs).toBeLessThan(atMost(2_000));
    expect(adaOpen).toEqual([true, true]);
    expect(adaResult.failures).toEqual([]);
  },
  LOADED_TIMEOUT_MS,
);

test("revoking one of a user's two tokens ends only the streams of that token", async () => {
  const both = { tok_old_0123456789: { userId: 'ada' }, tok_new_0123456789: { userId: 'ada' } };
  const files = { 'tokens.json': JSON.stringify(both) };
  const server = await startServer(sandbox, { ...WITH_TOKENS, files });
  const url = new URL('/sse', server.url);
  const oldStream = await openStream(sandbox, { url, token: 'tok_old_0123456789' });
  const newStream = await openStream(sandbox, { url, token: 'tok_new_0123456789' });

  await writeFile(tokensPath(server), JSON.stringify({ tok_new_0123456789: { userId: 'ada' } }));
  await waitFor('the end of the stream', () => !oldStream.isOpen(), { timeoutMs: atMost(2_000) });

  expect(await oldStream.ended).toBe(true);
  expect(newStream.isOpen()).toBe(true);
});

/** The token file of a server. */
function tokensPath({ cwd }: ServerProcess): string {
  return path.join(cwd, 'tokens.json');
}

/** Clients of every kind that call one after the other until they are stopped or refused. */
async function startLoad({ url }: ServerProcess, { token, userId }: { token: string; userId: string }) {
  const clients = await Promise.all(CLIENT_KINDS.map((kind) => connectClient(kind, { url, token })));
  const failures: string[] = [];
  const stopping = new AbortController();
  let answered = 0;
  let refused = 0;
  const callOn = async (client: TestClient): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        const { text } = await client.call('whoami');
        const found = (JSON.parse(text) as { userId: string }).userId;
        if (found !== userId) failures.push(`${userId} was taken for ${found}`);
        answered += 1;
      } catch (error) {
        failures.push(String(error));
        refused += 1;
        return;
      }
    }
  };
  const loops = clients.map(callOn);
  sandbox.defer(async () => {
    stopping.abort();
    await Promise.all(clients.map((client) => client.close()));
  });
  return {
    failures,
    refusedClients: () => refused,
    async stop() {
      stopping.abort();
      await Promise.all(loops);
      return { answered, failures };
    },
  };
}

/** Rewrites the token file in every way that editors and scripts have, each time with other content. */
async function rewriteTokens(server: ServerProcess, { times }: { times: number }): Promise<void> {
  const file = tokensPath(server);
  const notice = async (): Promise<void> => {
    // SIGHUP makes the server look at each state; its own look every half second would miss most of them.
    server.child.kill('SIGHUP');
    await sleep(5);
  };
  for (let revision = 0; revision < times; revision += 1) {
    const entries = {
      ...(JSON.parse(TOKENS_JSON) as object),
      [`tok_revision_${revision}`]: { userId: 'other' },
    };
    const text = JSON.stringify(entries);
    if (revision % 3 === 0) {
      await writeFile(file, text);
    } else if (revision % 3 === 1) {
      await writeFile(`${file}.new`, text);
      await rename(`${file}.new`, file);
    } else {
      const handle = await open(file, 'w');
      await notice();
      await handle.write(text.slice(0, text.length / 2));
      await notice();
      await handle.write(text.slice(text.length / 2));
      await handle.close();
    }
    await notice();
  }
  await writeFile(file, TOKENS_JSON);
}

/** A session's GET stream, opened by hand. */
async function openSessionStream({ url }: ServerProcess, token: string) {
  const endpoint = new URL('/mcp', url);
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${token}`,
      Accept: 'application/json, text/event-stream',
      'Content-Type': 'application/json',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: {
        protocolVersion: '2025-06-18',
        capabilities: {},
        clientInfo: { name: 'raw', version: '1.0.0' },
      },
    }),
  });
  await response.text();
  const headers = { 'Mcp-Session-Id': response.headers.get('mcp-session-id') ?? '' };
  return openStream(sandbox, { url: endpoint, token, headers });
}

/** The `jq` lines of the documents, as they stand there, on the log of a server that has refused all sorts of requests. */
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createSandbox, waitForEnd } from '../support/process.ts';
import { eventually, openMcpSession, send, stateless } from '../support/raw-http.ts';
import { startServer, TOKEN, WITH_TOKENS } from '../support/server-process.ts';
import { fencesOf, readDocument } from './documents.ts';

const sandbox = createSandbox();
let cwd = '';

/** The documents that have such lines. */
const DOCUMENTS = ['docs/05_CLIENT_SETUP.md'];

/** Whether jq is here; where it is not, the tests are skipped with a word on why. */
function hasJq(): boolean {
  try {
    execFileSync('jq', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    process.stderr.write('The lines for jq are not tested: it is missing (Debian: apt-get install jq).\n');
    return false;
  }
}

const { skip } = describe;
const describeWithJq = hasJq() ? describe : skip;

/** The commands of a document that begin with jq. */
async function jqLinesOf(document: string): Promise<string[]> {
  const { text } = await readDocument(document);
  const lines = fencesOf(text).flatMap(({ code }) => code.split('\n'));
  return lines.filter((line) => line.startsWith('jq ')).map((line) => line.replace(/ +# .*$/, ''));
}

/** What a command prints; it reads server.log. */
async function run(command: string): Promise<string> {
  const started = sandbox.spawn({ command: 'sh', args: ['-c', command], cwd });
  const { code } = await waitForEnd(started);
  expect({ command, code, stderr: started.stderr() }).toEqual({ command, code: 0, stderr: '' });
  return started.stdout();
}

beforeAll(async () => {
  const server = await startServer(sandbox, {
    ...WITH_TOKENS,
    env: { ...WITH_TOKENS.env, MAX_BODY_BYTES: '2048', ALLOWED_HOSTS: 'mcp.example' },
  });
  const at = (name: string): string => `${server.url}${name}`;
  await send(at('/tools'));
  await send(at('/tools'), { token: 'tok_wrong_0123456789' });
  await send(at('/tools'), { token: TOKEN.expired });
  await send(at('/tools'), { token: TOKEN.ada, headers: { Origin: 'https://elsewhere.example' } });
  await send(at('/mcp'), { token: TOKEN.ada, body: { padding: 'x'.repeat(3_000) } });
  await openMcpSession(server.url, TOKEN.ada);
  const call = { method: 'tools/call', params: { name: 'echo_message', arguments: { message: 'here' } } };
  await send(at('/mcp'), stateless(call, { token: TOKEN.bob }));
  await send(at('/mcp'), stateless(call, { token: TOKEN.expired }));
  await eventually(() => server.log().filter(({ status }) => status === 401).length >= 4);
  server.child.kill('SIGTERM');
  await waitForEnd(server);
  ({ cwd } = server);
  // What a container's log holds besides: lines that are no JSON.
  await writeFile(path.join(cwd, 'server.log'), `npm notice\n${server.stderr()}{"cut off":`);
});
afterAll(async () => sandbox.close());

test.each(DOCUMENTS)('%s has lines for jq', async (document) => {
  expect((await jqLinesOf(document)).length).toBeGreaterThanOrEqual(2);
});

describeWithJq('the lines for jq', () => {
  test.each(DOCUMENTS)('of %s all run and find a line', async (document) => {
    for (const command of await jqLinesOf(document)) expect(await run(command)).not.toBe('');
  });

  test('of docs/05: the first shows each refused credential with its reason, the second counts refusals', async () => {
    const [first = '', second = ''] = await jqLinesOf('docs/05_CLIENT_SETUP.md');

    const refused = (await run(first)).trim().split('\n').map((line) => JSON.parse(line) as object); // prettier-ignore
    const counts = (await run(second)).trim().split('\n').map((line) => line.trim().split(/\s+/)); // prettier-ignore

    expect(refused).toMatchObject([
      {
        reason: 'missing',
        userId: null,
        client: expect.stringContaining('node') as unknown,
        address: '127.0.0.1',
      },
      { reason: 'unknown', userId: null },
      { reason: 'expired', userId: 'old' },
      { reason: 'expired', userId: 'old' },
    ]);
    expect(counts[0]?.slice(0, 4)).toEqual(['2', '401', 'invalid_token', 'expired']);
    expect(counts.map(([count, status, error, third]) => [count, status, error, third])).toEqual(
      expect.arrayContaining([
        ['1', '413', 'body_too_large', 'MAX_BODY_BYTES'],
        ['1', '403', 'forbidden_origin', expect.anything()],
      ]),
    );
  });
});

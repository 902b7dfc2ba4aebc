/** The server by hand: the curl commands that a README shows, typed as they stand. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createSandbox, type TestProcess, waitFor, waitForEnd } from '../support/process.ts';
import { type ServerProcess, startServer } from '../support/server-process.ts';

const sandbox = createSandbox();
let server: ServerProcess;
beforeAll(async () => {
  const files = { 'tokens.json': JSON.stringify(TOKENS) };
  server = await startServer(sandbox, { env: { AUTH_ENABLED: 'true' }, files });
});
afterAll(async () => sandbox.close());

const TOKENS = {
  tok_test1_abc123: { userId: 'test1', name: 'Test Student One' },
  tok_test2_def456: { userId: 'test2', scopes: ['greet'] },
};
const BEARER = '-H "Authorization: Bearer tok_test1_abc123"';
const INITIALIZE = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'curl', version: '1' } },
});
const POST = `-H "Content-Type: application/json" -H "Accept: application/json, text/event-stream"`;

/** Starts a command line in a shell; `localhost:8000` stands for where the server listens. */
function start(command: string): TestProcess {
  const line = command.replace('localhost:8000', `localhost:${server.port}`);
  return sandbox.spawn({ command: 'sh', args: ['-c', line], cwd: server.cwd });
}

/** Runs a command line to its end and returns what it prints. */
async function run(command: string): Promise<string> {
  const shell = start(command);
  const { code } = await waitForEnd(shell);
  // curl itself ends with 0 whatever the server answers.
  if (code !== 0) throw new Error(`Exit code ${code} (is curl installed?): ${shell.stderr()}`);
  return shell.stdout();
}

test('GET /tools with a token prints the tools that its user may call', async () => {
  const all = await run('curl http://localhost:8000/tools -H "Authorization: Bearer tok_test1_abc123"');
  const some = await run('curl http://localhost:8000/tools -H "Authorization: Bearer tok_test2_def456"');

  expect(namesIn(all)).toEqual(['get_greeting', 'echo_message', 'whoami']);
  expect(namesIn(some)).toEqual(['get_greeting', 'whoami']);
});

test.each([
  ['no token', '', 'unauthorized'],
  ['a wrong token', '-H "Authorization: Bearer nope"', 'invalid_token'],
])('GET /tools with %s prints a 401 with its challenge', async (_kind, header, code) => {
  const answer = await run(`curl -i http://localhost:8000/tools ${header}`);

  expect(answer).toMatch(/^HTTP\/1\.1 401 /);
  expect(answer).toMatch(/^WWW-Authenticate: Bearer realm=/im);
  expect(answer).toContain(`"error":"${code}"`);
});

test('a session is opened, used and closed by hand', async () => {
  const opened = await run(`curl -i http://localhost:8000/mcp ${BEARER} ${POST} -d '${INITIALIZE}'`);
  const id = /^mcp-session-id: (\S+)/im.exec(opened)?.[1];
  const session = `-H "Mcp-Session-Id: ${id}"`;
  const call = '{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"get_greeting"}}';

  const greeting = await run(`curl http://localhost:8000/mcp ${BEARER} ${POST} ${session} -d '${call}'`);
  const closed = await run(`curl -i -X DELETE http://localhost:8000/mcp ${BEARER} ${session}`);
  const gone = await run(`curl -i http://localhost:8000/mcp ${BEARER} ${POST} ${session} -d '${call}'`);

  expect(opened).toMatch(/^HTTP\/1\.1 200 /);
  expect(JSON.parse(greeting)).toMatchObject({
    id: 2,
    result: { content: [{ text: 'Hello, Test Student One!' }] },
  });
  expect(closed).toMatch(/^HTTP\/1\.1 200 /);
  expect(gone).toMatch(/^HTTP\/1\.1 404 /);
});

test('the stream of GET /sse names where to post, and carries the answers', async () => {
  const stream = start(`exec curl -N http://localhost:8000/sse ${BEARER}`);
  const endpoint = await waitFor(
    'the endpoint event',
    () => /^event: endpoint\ndata: (\S+)\n\n/.exec(stream.stdout())?.[1],
  );

  const accepted = await run(
    `curl -i "http://localhost:8000${endpoint}" ${BEARER} ${POST} -d '${INITIALIZE}'`,
  );
  const answer = await waitFor(
    'the answer',
    () => /^event: message\ndata: (.*)\n\n/m.exec(stream.stdout())?.[1],
  );

  expect(accepted).toMatch(/^HTTP\/1\.1 202 /);
  expect(JSON.parse(answer)).toMatchObject({ id: 1, result: { protocolVersion: '2025-06-18' } });
});

test('a path that nothing serves, and the OAuth routes, answer JSON that says so', async () => {
  const unknown = await run('curl http://localhost:8000/nothing-here');
  const register = await run('curl -X POST http://localhost:8000/register -H "Authorization: Bearer nope"');

  expect(JSON.parse(unknown)).toMatchObject({ error: 'not_found' });
  expect(JSON.parse(register)).toMatchObject({
    error: 'invalid_request',
    error_description: expect.stringContaining('The token is unknown to this server.'),
  });
});

/** The names in what `GET /tools` printed. */
function namesIn(text: string): string[] {
  const { tools } = JSON.parse(text) as { tools: { name: string }[] };
  return tools.map(({ name }) => name);
}

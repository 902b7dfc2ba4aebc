/** The MCP Inspector's command line without a header: its user signs in on the page, and later runs go on with what that gave. */
import path from 'node:path';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { findModernNode } from '../../scripts/modern-node.ts';
import { findFreePort } from '../support/free-port.ts';
import { testInCi } from '../support/in-ci.ts';
import { createSandbox, ROOT, type TestProcess, waitFor, waitForEnd } from '../support/process.ts';
import { send } from '../support/raw-http.ts';
import { type ServerProcess, startServer, TOKEN, WITH_TOKENS } from '../support/server-process.ts';
import { newSecret, sendForm, ticketOf } from '../support/sign-in.ts';

const LAUNCHER = path.join(
  ROOT,
  'node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js',
);

const sandbox = createSandbox();
let modernNode: string;
let server: ServerProcess;
// npm may have to download a Node first.
beforeAll(async () => {
  modernNode = await findModernNode();
  const env = { ...WITH_TOKENS.env, SERVER_SECRET: newSecret() };
  server = await startServer(sandbox, { ...WITH_TOKENS, env });
}, 180_000);
afterAll(async () => sandbox.close());

/** A user's Inspector: its home, and the address that it is sent back to. */
async function createInspector(route: string): Promise<(...args: string[]) => TestProcess> {
  const cwd = await sandbox.folder();
  const callback = `http://127.0.0.1:${await findFreePort()}/oauth/callback`;
  const transport = route === '/sse' ? 'sse' : 'http';
  const target = ['--server-url', server.url + route, '--transport', transport, '--callback-url', callback];
  const call = ['--method', 'tools/call', '--tool-name', 'whoami'];
  // Without a keychain, what is kept between runs is a file of its home; without a terminal, it must be told that a person is there.
  const env = { MCP_INSPECTOR_SECRET_STORE: 'file', MCP_AUTO_OPEN_ENABLED: 'true' };
  return (...args) =>
    sandbox.spawn({ command: modernNode, args: [LAUNCHER, '--cli', ...target, ...call, ...args], cwd, env });
}

/** Does what the user does on the page that a run asks for. */
async function signInOnPage(run: TestProcess, token: string): Promise<void> {
  const address = await waitFor('an address to visit', () =>
    /(http:\/\/\S+\/authorize\?\S+)/.exec(run.stderr())?.at(1),
  );
  const ticket = ticketOf(await send(address, { headers: { Accept: 'text/html' } }));
  const answer = await sendForm(
    `${server.url}/authorize`,
    { ticket, token, action: 'allow' },
    { Origin: server.url },
  );
  const callback = await fetch(answer.headers.get('location') ?? '');
  expect([answer.status, callback.status]).toEqual([303, 200]);
}

/** What `whoami` answered to a run. */
async function resultOf(run: TestProcess): Promise<unknown> {
  const { code } = await waitForEnd(run, { timeoutMs: 20_000 });
  if (code !== 0) throw new Error(`The Inspector ended with ${code}:\n${run.stderr()}`);
  return (JSON.parse(run.stdout()) as { structuredContent: unknown }).structuredContent;
}

/** How often the page was asked for. */
const pages = (): number =>
  server.log().filter(({ path: asked, method }) => asked === '/authorize' && method === 'GET').length;

testInCi(
  'over http it signs in, goes on without a page, and signs in as somebody else when told to',
  async () => {
    const inspect = await createInspector('/mcp');
    const first = inspect();
    await signInOnPage(first, TOKEN.ada);
    const firstUser = await resultOf(first);
    const secondUser = await resultOf(inspect('--use-stored-auth'));
    const pagesOfBoth = pages();
    const third = inspect('--relogin');
    await signInOnPage(third, TOKEN.bob);

    expect(firstUser).toMatchObject({ userId: 'ada', transport: 'streamable-http' });
    expect(secondUser).toMatchObject({ userId: 'ada' });
    expect(pagesOfBoth).toBe(1);
    expect(await resultOf(third)).toMatchObject({ userId: 'bob' });
  },
);

testInCi('over sse it signs in and calls', async () => {
  const run = (await createInspector('/sse'))();
  await signInOnPage(run, TOKEN.ada);

  expect(await resultOf(run)).toMatchObject({ userId: 'ada', transport: 'sse' });
});

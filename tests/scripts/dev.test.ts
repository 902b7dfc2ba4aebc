/** Tests of `npm run dev`: the server with a tool that is edited while it runs. */
import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, expect, test } from '@jest/globals';
import { createCheckout, deleteCheckouts } from '../support/checkout.ts';
import { connectClient } from '../support/clients.ts';
import { testInCi } from '../support/in-ci.ts';
import { builtFile, createSandbox, ROOT, type TestProcess, waitFor, waitForEnd } from '../support/process.ts';
import { callTool, openMcpSession, send } from '../support/raw-http.ts';
import { parseLog } from '../support/server-process.ts';

deleteCheckouts();
const sandbox = createSandbox();
afterEach(async () => sandbox.close());

/** Compiling everything takes a while where others keep the machine busy. */
const SLOW = { timeoutMs: 120_000 };

/** The file of the one tool, `answer`. */
const toolThatSays = (answer: string): string => `
import { defineTool, z } from '../server.js';

export const tools = [
  defineTool({
    name: 'answer',
    title: 'Answer',
    description: 'Says what it says.',
    input: z.object({}),
    annotations: { readOnlyHint: true },
    run: () => ${answer},
  }),
];
`;

/** The address of a file of this checkout, for an import. */
const addressOfFile = (name: string): string => pathToFileURL(path.join(ROOT, name)).href;

/** A checkout with one tool, whose server is the one that is built here: the compiler has little to do. */
async function checkoutWithServer(): Promise<string> {
  const { directory, write } = await createCheckout();
  builtFile('src/main.js');
  // The compiler asks no types of JavaScript, nor follows an address.
  await write(
    'src/server.js',
    `export { z } from '${addressOfFile('node_modules/zod/index.js')}';
export { defineTool } from '${addressOfFile('dist/src/mcp/tool.js')}';
export { runServer } from '${addressOfFile('dist/src/server/run-server.js')}';
`,
  );
  await write(
    'src/main.ts',
    `import { runServer } from './server.js';
import { tools } from './tools/index.ts';

await runServer({ tools }, process.env);
`,
  );
  await write('src/tools/index.ts', toolThatSays("'one'"));
  return directory;
}

/** The address of the server that was started last, once there have been so many. */
async function addressOf(dev: TestProcess, starts: number): Promise<string> {
  return waitFor(
    `start ${starts}\n${dev.stderr()}`,
    () => {
      const lines = parseLog(dev.stderr()).filter(({ msg }) => msg === 'listening');
      return lines.length >= starts && String(lines.at(-1)?.['url']);
    },
    SLOW,
  );
}

/** What the tool says. */
async function answerAt(url: string): Promise<string> {
  const client = await connectClient('v1 http', { url });
  const { text } = await client.call('answer');
  await client.close();
  return text;
}

/** Starts `npm run dev`. */
function startDev(folder: string): TestProcess {
  return sandbox.spawn({
    args: ['scripts/dev.mjs'],
    cwd: folder,
    env: { PORT: '0', npm_execpath: path.join(folder, 'npm-cli.js') },
  });
}

test('an edited tool answers in the same session, a broken one leaves the server as it is, and Ctrl-C ends everything', async () => {
  const folder = await checkoutWithServer();
  const dev = startDev(folder);

  const first = await addressOf(dev, 1);
  const session = await openMcpSession(first, 'tok_nobody_0123456789');
  const answers = [await answerAt(first)];

  await writeFile(path.join(folder, 'src/tools/index.ts'), toolThatSays('missing'));
  await waitFor('the failed build', () => dev.stderr().includes('dev: the build failed'), SLOW);
  answers.push(await answerAt(first));

  await writeFile(path.join(folder, 'src/tools/index.ts'), toolThatSays("'two'"));
  const second = await addressOf(dev, 2);
  answers.push(await answerAt(second));
  const goesOn = await send(`${second}/mcp`, { headers: session.headers, body: callTool(1, 'answer') });

  dev.child.kill('SIGINT');
  // Its output ends only when the server and the compiler, which write to it too, have ended.
  const ending = await waitForEnd(dev, SLOW);

  expect(answers).toEqual(['one', 'one', 'two']);
  expect(goesOn).toMatchObject({ status: 200, text: expect.stringContaining('two') as unknown });
  expect(dev.stderr()).toMatch(
    /^src\/tools\/index\.ts\(\d+,\d+\): error TS2304: Cannot find name 'missing'\.$/m,
  );
  expect(ending).toEqual({ code: 0, signal: null });
  await expect(fetch(second)).rejects.toThrow('fetch failed');
  // Whoever builds or tests in another terminal is not disturbed.
  await expect(readFile(path.join(folder, 'dist/src/main.js'))).rejects.toThrow('ENOENT');
}, 500_000);

testInCi(
  'settings and tokens count as soon as they are written',
  async () => {
    const folder = await checkoutWithServer();
    const dev = startDev(folder);
    await addressOf(dev, 1);

    await writeFile(path.join(folder, '.env'), 'SSE_ENABLED=false\n');
    const second = await addressOf(dev, 2);
    const sse = await fetch(new URL('/sse', second));

    await cp(path.join(ROOT, 'tokens.example.json'), path.join(folder, 'tokens.json'));
    const third = await addressOf(dev, 3);
    const withoutToken = await fetch(new URL('/tools', third));
    const signIn = await fetch(new URL('/.well-known/oauth-authorization-server', third));
    dev.child.kill('SIGINT');
    await waitForEnd(dev, SLOW);

    // A secret for the run of `npm run dev` does not switch signing in on.
    expect([sse.status, withoutToken.status, signIn.status]).toEqual([404, 401, 404]);
  },
  500_000,
);

/** A server that starts with an empty `.env` only. */
const PICKY_SERVER = `
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

if (readFileSync('.env', 'utf8') !== '') process.exit(1);
const server = createServer((_req: unknown, res: { end(text: string): void }) => res.end('one'));
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address();
  process.stderr.write(JSON.stringify({ level: 'info', msg: 'listening', url: 'http://127.0.0.1:' + port }) + '\\n');
});
`;

testInCi(
  'a server that does not start is started again by the next change, and ends with whoever started it',
  async () => {
    const checkout = await createCheckout();
    await checkout.write('src/main.ts', PICKY_SERVER);
    await checkout.write('.env', 'AUTH_ENABLED=maybe\n');
    await checkout.run('prepare');
    const dev = sandbox.spawn({ args: ['scripts/dev.mjs'], cwd: checkout.directory });

    await waitFor('the refused start', () => dev.stderr().includes('dev: the server has ended'), SLOW);
    await checkout.write('.env', '');
    const url = await addressOf(dev, 1);

    const answer = await (await fetch(url)).text();
    dev.child.kill('SIGKILL');
    // Whatever it has started holds its output open.
    await waitForEnd(dev, SLOW);

    expect(answer).toBe('one');
    await expect(fetch(url)).rejects.toThrow('fetch failed');
  },
  300_000,
);

test('what is missing is installed first, and --help does nothing', async () => {
  const checkout = await createCheckout();

  const help = await checkout.run('dev', {}, ['--help']);
  const isUntouched = !(await checkout.exists('npm-calls.log'));
  const failed = await checkout.run('dev', { FAKE_NPM_EXIT_CODE: '7' });

  expect(help).toEqual({ code: 0, stdout: expect.stringMatching(/^npm run dev: /), stderr: '' });
  expect(isUntouched).toBe(true);
  expect(failed).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^prepare: installing dependencies \(npm ci\)\nprepare: failed: /),
  });
});

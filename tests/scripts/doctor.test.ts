/** The doctor on configurations of every client: those that `npm run connect` prints get in, and each broken one is named. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runDoctor } from '../../scripts/doctor/run.ts';
import { adviceOnHeaders } from '../../scripts/doctor/walk.ts';
import { CLIENT_IDS, type ClientId, renderClient } from '../../src/connect/clients.ts';
import { testEach } from '../support/in-ci.ts';
import { createSandbox } from '../support/process.ts';
import { fixtureEntry } from '../support/server-process.ts';
import { startFixedAnswer, type RunningFault, startSelfSigned } from '../support/faulty-proxy.ts';
import { findFreePort } from '../support/free-port.ts';
import { ADA, startTestServer, type TestServer } from '../support/start-server.ts';

const sandbox = createSandbox();
let server: TestServer;
let page: RunningFault;
let selfSigned: RunningFault;
beforeAll(async () => {
  server = await startTestServer();
  page = await startFixedAnswer(503, 'text/html', '<title>Waking up</title>');
  selfSigned = await startSelfSigned();
});
afterAll(async () => {
  await Promise.all([server.close(), page.close(), selfSigned.close(), sandbox.close()]);
});

/** A step as the report has it. */
interface Shown {
  readonly id: string;
  readonly status: string;
  readonly detail: string;
  readonly advice?: string;
}

/** Runs the doctor on a file with this content. Whatever happens, the token may not be in what it prints. */
async function examine(
  content: string | object,
  {
    name = 'mcp.json',
    args = ['--timeout', '5'],
    environment = {},
  }: { name?: string; args?: string[]; environment?: Record<string, string> } = {},
) {
  const folder = await sandbox.folder({
    [name]: typeof content === 'string' ? content : JSON.stringify(content),
  });
  let printed = '';
  const output = { write: (text: string) => void (printed += text), isTerminal: false };
  const exitCode = await runDoctor([path.join(folder, name), '--json', ...args], {
    environment,
    stdout: output,
    stderr: output,
  });
  expect(printed).not.toContain(ADA);
  const { steps } = JSON.parse(printed) as { steps: Shown[] };
  return { exitCode, steps, failed: steps.find(({ status }) => status === 'failed') };
}

/** How the files are called whose names decide how they are read. */
const NAMES = new Map<ClientId, string>([
  ['claude-desktop', 'claude_desktop_config.json'],
  ['windsurf', 'mcp_config.json'],
  ['codex', 'config.toml'],
  ['goose', 'config.yaml'],
]);

/** Every client that keeps its entries in a file; one of them starts a server, and one file is of a registry. */
const WITH_FILES = CLIENT_IDS.filter((id) => {
  const { form } = renderClient(id, { name: 'mine', version: '1', origin: 'http://localhost', token: ADA });
  return ['json', 'toml', 'yaml'].includes(form) && id !== 'claude-desktop-stdio' && id !== 'server-json';
});

/** An entry for this server, with more fields or others. */
const entry = (more: object = {}): object => ({
  url: `${server.url}/mcp`,
  headers: { Authorization: `Bearer ${ADA}` },
  ...more,
});

/** A file with one entry. */
const fileWith = (one: object): object => ({ mcpServers: { mine: one } });

describe('a configuration that npm run connect prints gets in', () => {
  test.each(WITH_FILES)('%s', async (id) => {
    const { text } = renderClient(id, { name: 'mine', version: '1', origin: server.url, token: ADA });

    const { exitCode, steps } = await examine(text, {
      name: NAMES.get(id) ?? 'mcp.json',
      environment: { MCP_SERVER_TOKEN: ADA },
    });

    expect(steps.filter(({ status }) => status === 'failed')).toEqual([]);
    expect(exitCode).toBe(0);
    expect(steps.find(({ id: step }) => step === 'tools')?.detail).toBe('get_greeting, echo_message, whoami');
  });

  test('over HTTP+SSE, and with the token from where the client keeps it', async () => {
    const sse = await examine(fileWith(entry({ url: `${server.url}/sse` })));
    const asked = await examine(fileWith(entry({ headers: { Authorization: 'Bearer ${input:my-token}' } })), {
      environment: { SMOKE_TOKEN: ADA },
    });
    const variable = await examine(
      fileWith(entry({ headers: { Authorization: 'Bearer ${env:MY_TOKEN}' } })),
      {
        environment: { MY_TOKEN: ADA },
      },
    );

    expect([sse.exitCode, asked.exitCode, variable.exitCode]).toEqual([0, 0, 0]);
  });

  testEach<readonly [string, (args: readonly string[]) => object]>([
    ['most', ([command, ...args]) => fileWith({ command, args })],
    ['opencode', (command) => ({ mcp: { mine: { type: 'local', command, enabled: true } } })],
    ['goose', ([cmd, ...args]) => ({ extensions: { mine: { type: 'stdio', cmd, args } } })],
  ])('that starts the server itself, as %s have it', async (_client, write) => {
    const { exitCode, steps } = await examine(write([process.execPath, ...fixtureEntry('stdio')]));

    expect(exitCode).toBe(0);
    expect(steps.find(({ id }) => id === 'initialize')?.detail).toBe('over stdio');
  });

  test('that Claude Code keeps for one project, and opencode with a variable', async () => {
    const project = { mcpServers: {}, projects: { '/home/ada/app': fileWith(entry()) } };
    const variable = { mcp: { mine: entry({ headers: { Authorization: 'Bearer {env:MY_TOKEN}' } }) } };

    const answers = [
      await examine(project, { name: '.claude.json', args: ['--entry', 'mine of /home/ada/app'] }),
      await examine(variable, { name: 'opencode.json', environment: { MY_TOKEN: ADA } }),
    ];

    expect(answers.map(({ failed }) => failed)).toEqual([undefined, undefined]);
  });
});

describe('names where the way breaks, and what to do', () => {
  test.each<[string, string, () => string | object | Promise<string | object>, RegExp, RegExp, { name?: string; args?: string[]; environment?: Record<string, string> }?]>([
    ['a comma too few', 'file', () => '{\n  "mcpServers": {\n    "a": {"url": "x"}\n    "b": {}\n  }\n}', /not valid JSON: \w+ at line 4, column 5/, /comma/],
    ['TOML that breaks', 'file', () => '[mcp_servers.mine]\nurl = oops', /not valid TOML: there is an error at line 2/, /ignore/, { name: 'config.toml' }],
    ['YAML that breaks', 'file', () => 'extensions:\n  mine: {', /not valid YAML: there is an error at line \d+/, /ignore/, { name: 'config.yaml' }],
    ['no servers', 'file', () => ({ theme: 'dark' }), /names no MCP server/, /npm run connect/],
    ['servers where the client does not look', 'file', () => ({ servers: { mine: entry() } }), /under servers, where Claude Desktop does not look/, /under mcpServers/, { name: 'claude_desktop_config.json' }],
    ['several entries', 'file', () => ({ mcpServers: { one: entry(), two: entry() } }), /several entries .*: one, two/, /--entry/],
    ['no such entry', 'file', () => fileWith(entry()), /no entry yours/, /The entries are: mine/, { args: ['--entry', 'yours'] }],
    ['an entry that is off', 'file', () => fileWith(entry({ disabled: true })), /switched off/, /on/],
    ['a variable that is not set', 'file', () => fileWith(entry({ headers: { Authorization: 'Bearer ${NOWHERE}' } })), /NOWHERE is not set/, /SMOKE_TOKEN/],
    ['the placeholder of an example', 'file', () => fileWith(entry({ url: 'https://my-app.example/mcp' })), /placeholder my-app\.example/, /name/],
    ['no address', 'file', () => fileWith(entry({ url: 'localhost' })), /not a URL/, /npm run connect/],
    ['a host that is in a variable which is not set', 'file', () => fileWith(entry({ url: 'https://${HOST_NAME}/mcp' })), /HOST_NAME is not set/, /belongs to the address, where SMOKE_TOKEN is not used/, { environment: { SMOKE_TOKEN: ADA } }],
    ['a host that the client asks for', 'file', () => fileWith(entry({ url: 'https://${input:host}/mcp' })), /asks its user for host/, /belongs to the address/, { environment: { SMOKE_TOKEN: ADA } }],
    ['a variable that holds no credential', 'file', () => fileWith(entry({ headers: { Authorization: 'Bearer ${MINE}', 'x-team': '${TEAM}' } })), /TEAM is not set/, /belongs to x-team/, { environment: { SMOKE_TOKEN: ADA } }],
    ['a link of the page', 'file', () => fileWith(entry({ url: `${server.url}/#token=${ADA}` })), /of a page/, /must end in \/mcp/],
    ['a password in the address', 'file', () => fileWith(entry({ url: server.url.replace('//', `//ada:${ADA}@`) })), /a user name or a password/, /npm run connect/],
    ['an unknown host', 'dns', () => fileWith(entry({ url: 'http://no-such-host.invalid/mcp' })), /unknown \(DNS\)|could not be looked up/, /spelling/],
    ['nobody who listens', 'tcp', async () => fileWith(entry({ url: `http://127.0.0.1:${await findFreePort()}/mcp` })), /refused/, /listening/],
    ['a certificate that nobody vouches for', 'tls', () => fileWith(entry({ url: `${selfSigned.url}/mcp` })), /self-signed|incomplete/, /certificate|fullchain/],
    ['no TLS where it should be', 'tls', () => fileWith(entry({ url: `${server.url.replace('http:', 'https:')}/mcp` })), /does not speak TLS|TLS/, /http:/],
    ['a page of the host', 'http', () => fileWith(entry({ url: `${page.url}/mcp` })), /an HTML page \("Waking up"\) with status 503/, /proxy/],
    ['no header', 'credential', () => fileWith(entry({ headers: {} })), /No credential was sent/, /sends no header/],
    ['an unknown token', 'credential', () => fileWith(entry({ headers: { 'x-api-key': 'tok_unknown_0123456789' } })), /unknown to this server/, /sends x-api-key/],
    ['typographic quotes around the token', 'credential', () => fileWith(entry({ headers: { Authorization: `Bearer \u201C${ADA}\u201D` } })), /Authorization contains a typographic quote \(U\+201C\), which cannot be sent/, /plain text/],
    ['what nobody sees in the token', 'credential', () => fileWith(entry({ headers: { 'x-api-key': `${ADA}\u200B` } })), /x-api-key contains a character that nobody sees \(U\+200B\)/, /plain text/],
    ['what nobody sees in the name of the header', 'credential', () => fileWith(entry({ headers: { 'Authorization\u2060': `Bearer ${ADA}` } })), /name of a header contains a character that nobody sees \(U\+2060\)/, /again/],
    ['the placeholder of a token', 'credential', () => fileWith(entry({ headers: { Authorization: 'Bearer YOUR_TOKEN' } })), /placeholder/, /^The entry sends Authorization\./],
    ['an address without its end', 'initialize', () => fileWith(entry({ url: `${server.url}/` })), /client reports/, /end in \/mcp/],
    ['a program that is not there', 'command', () => fileWith({ command: 'no-such-program-here' }), /program no-such-program-here is not in/, /PATH/],
    ['a whole line in the place of a program', 'command', () => fileWith({ command: `no-such-program --token ${ADA}` }), /program no-such-program … is not in the PATH/, /PATH/],
    ['a program that repeats its token', 'initialize', () => fileWith({ command: process.execPath, args: ['-e', 'console.error(process.argv.at(-1)); process.exit(1)', '--', '--token', ADA] }), /wrote:\s+<token>/, /by hand/],
    ['a file that is not there', 'command', () => fileWith({ command: process.execPath, args: ['/no/such/stdio.js'] }), /\/no\/such\/stdio\.js is not there/, /npm run build/],
    ['a program that ends', 'initialize', () => fileWith({ command: process.execPath, args: ['-e', 'console.error("no database"); process.exit(1)'] }), /no database/, /by hand/],
  ])('%s', async (_what, step, content, detail, advice, options = {}) => {
    const { exitCode, failed, steps } = await examine(await content(), options);

    expect(failed).toMatchObject({ id: step });
    expect(failed?.detail).toMatch(detail);
    expect(failed?.advice).toMatch(advice);
    expect(exitCode).toBe(1);
    // What comes after it was not tried.
    const after = steps.slice(steps.findIndex(({ id }) => id === step) + 1);
    expect(after.filter(({ status }) => status !== 'blocked')).toEqual([]);
  }); // prettier-ignore

  test('a server that takes connections and says nothing', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    const port = typeof address === 'object' ? address?.port : 0;

    const { failed } = await examine(fileWith(entry({ url: `http://127.0.0.1:${port}/mcp` })), {
      args: ['--timeout', '0.3'],
    });
    silent.close();

    expect(failed).toMatchObject({ id: 'http', detail: 'No answer came within 0.3 s.' });
  });
});

test('shows an address without what stands behind its path', async () => {
  const { exitCode, steps } = await examine(fileWith(entry({ url: `${server.url}/mcp?token=${ADA}` })));

  expect(exitCode).toBe(0);
  expect(steps[0]?.detail).toBe(`mine, ${server.url}/mcp?…`);
});

test('leaves no session behind', async () => {
  const before = server.lines.length;

  await examine({ mcpServers: { mine: entry() } });

  const ended = server.lines.slice(before).find(({ method }) => method === 'DELETE');
  expect(ended).toMatchObject({ status: 200 });
});

test('a file that is not there, UTF-16, and a command line that is wrong', async () => {
  let printed = '';
  const output = { write: (text: string) => void (printed += text), isTerminal: false };
  const run = (...args: string[]) => runDoctor(args, { environment: {}, stdout: output, stderr: output });

  expect(await run()).toBe(3);
  expect(await run('a', 'b')).toBe(3);
  expect(await run('a', '--timeout', '0')).toBe(3);
  expect(await run('a', '--what')).toBe(3);
  expect(await run('https://my-app.example/#token=tok_secret')).toBe(3);
  expect(printed).not.toContain('tok_secret');
  expect(await run('/no/such/file.json')).toBe(1);
  const folder = await sandbox.folder({ 'empty.json': ' \n' });
  expect(await run(folder)).toBe(1);
  expect(printed).toContain('It is a folder');
  expect(await run(path.join(folder, 'empty.json'))).toBe(1);
  expect(printed).toContain('The file is empty.');
  expect(await run('--help')).toBe(0);
  expect(printed).toContain('There is no such file.');
  expect(printed).toContain('Give one file.');
});

test('the document that explains the sentences of a server is named where it is, and nowhere else', async () => {
  const withIt = await sandbox.folder();
  await mkdir(path.join(withIt, 'docs'));
  await writeFile(path.join(withIt, 'docs/05_CLIENT_SETUP.md'), '# Clients\n');

  expect(adviceOnHeaders('X-Token', withIt)).toMatch(
    /^The entry sends X-Token\. docs\/05_CLIENT_SETUP\.md says/,
  );
  expect(adviceOnHeaders('X-Token', await sandbox.folder())).toBe('The entry sends X-Token.');
});

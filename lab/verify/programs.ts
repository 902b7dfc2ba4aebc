/** The programs that check a server, and the checks of each. */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { npmProgram } from '../../scripts/npm-program.ts';

/** The server under test. */
export interface Subject {
  /** The server's address, without a slash at its end. */
  readonly url: string;
  readonly token: string | undefined;
  /** A folder for files that programs write. */
  readonly folder: string;
  /** The path of a Node that all of them accept. */
  readonly node: string;
}

/** One check by a program. */
export interface Check {
  readonly program: 'inspector' | 'mcpc' | 'mcporter' | 'mcpjam' | 'mcpvals';
  readonly title: string;
  readonly command: readonly [string, ...string[]];
  /** Matches the output of a check that passes. */
  readonly shows: RegExp;
  readonly env?: Readonly<Record<string, string>>;
}

/** Fixed versions, so that what passes today passes tomorrow. Those of the Inspector and the suite are in package-lock.json. */
const MCPC = '@apify/mcpc@0.2.6';
const MCPORTER = 'mcporter@0.12.3';
const MCPVALS = 'mcpvals@0.4.0';
/** With its client fixed, too: the SDK would install a later one, which lacks an export that the SDK imports. */
const MCPJAM = ['@mcpjam/sdk@1.14.0', '@modelcontextprotocol/client@2.0.0-alpha.2'];

/** The script that asks the SDK; this file runs in dist/lab/verify. */
const ASK_MCPJAM = fileURLToPath(new URL('../../../lab/verify/mcpjam/ask.mjs', import.meta.url));

/** Matches the name of a tool in JSON, which all of them print. */
const NAMES_A_TOOL = /"name":\s*"[\w.-]+"/;

/** The checks, in their order: later ones use the session that an earlier one has opened. */
export async function planChecks(subject: Subject): Promise<readonly Check[]> {
  const { url, token, folder } = subject;
  const tools = await listTools(subject);
  const authorization = token === undefined ? [] : ['--header', `Authorization: Bearer ${token}`];
  const launcher = fileURLToPath(
    import.meta.resolve('@modelcontextprotocol/inspector/clients/launcher/build/index.js'),
  );
  const inspect = (title: string, ...args: string[]): Check => ({
    program: 'inspector',
    title,
    command: [
      subject.node,
      launcher,
      '--cli',
      ...args,
      ...authorization,
      '--method',
      'tools/list',
      '--strict',
    ],
    shows: NAMES_A_TOOL,
  });
  const mcpc = (title: string, shows: RegExp, ...args: string[]): Check => ({
    program: 'mcpc',
    title,
    command: [...npmProgram('npx'), '--yes', MCPC, ...args],
    shows,
    env: { MCPC_HOME_DIR: path.join(folder, 'mcpc') },
  });
  const headers = token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } };
  const configuration = path.join(folder, 'mcporter.json');
  await writeFile(
    configuration,
    JSON.stringify({ mcpServers: { subject: { baseUrl: `${url}/mcp`, ...headers } } }),
    { mode: 0o600 },
  );
  return [
    inspect('tools, strictly, over Streamable HTTP', `${url}/mcp`, '--transport', 'http'),
    inspect('tools, strictly, over HTTP+SSE', `${url}/sse`, '--transport', 'sse'),
    inspect(
      'tools, strictly, of 2026-07-28',
      `${url}/mcp`,
      '--transport',
      'http',
      '--protocol-era',
      'modern',
    ),
    mcpc('connects', /"protocolVersion"/, 'connect', `${url}/mcp`, '@subject', ...authorization, '--json'),
    mcpc('tools', NAMES_A_TOOL, '@subject', 'tools-list', '--json'),
    mcpc('ping', /successful|"success"|\{/, '@subject', 'ping', '--json'),
    mcpc('closes', /closed|\{/, 'close', '@subject', '--json'),
    {
      program: 'mcporter',
      title: 'tools',
      command: [
        ...npmProgram('npx'),
        '--yes',
        MCPORTER,
        '--config',
        configuration,
        'list',
        'subject',
        '--json',
      ],
      shows: /"status":\s*"ok"[^]*"name"/,
    },
    ...(await planMcpjam(subject, tools)),
    await planMcpvals(subject, tools),
  ];
}

/** The checks of `@mcpjam/sdk`, a library: it is installed in a folder of its own, beside the script that asks it. */
async function planMcpjam({ url, folder }: Subject, tools: readonly ListedTool[]): Promise<readonly Check[]> {
  const home = path.join(folder, 'mcpjam');
  await mkdir(home);
  await copyFile(ASK_MCPJAM, path.join(home, 'ask.mjs'));
  const install = [
    'install',
    '--prefix',
    home,
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=notice',
    ...MCPJAM,
  ];
  const ask = (what: string, checks: number): Check => ({
    program: 'mcpjam',
    title: `${what}, ${checks} checks`,
    command: [process.execPath, path.join(home, 'ask.mjs'), what, `${url}/mcp`],
    shows: new RegExp(`"checks":${checks},"problems":\\[\\]`),
  });
  return [
    {
      program: 'mcpjam',
      title: 'is installed',
      command: [...npmProgram('npm'), ...install],
      shows: /added|up to date/,
    },
    ask('doctor', 8),
    ask('conformance', 15),
    // Only for servers with views (MCP Apps).
    ...(tools.some(({ _meta }) => _meta?.ui?.resourceUri !== undefined) ? [ask('apps', 7)] : []),
  ];
}

/** The check of `mcpvals`, which must be installed without its scripts: they would build it. It reads the token from SMOKE_TOKEN. */
async function planMcpvals({ url, token, folder }: Subject, tools: readonly ListedTool[]): Promise<Check> {
  const configuration = path.join(folder, 'mcpvals.json');
  const harmless = tools.find(
    ({ annotations, inputSchema }) =>
      annotations?.readOnlyHint === true && (inputSchema.required ?? []).length === 0,
  )?.name;
  const tests = [
    ...(harmless === undefined ? [] : [{ name: harmless, args: {} }]),
    { name: 'no_such_tool', args: {}, expectedError: 'not found' },
  ];
  const headers = token === undefined ? {} : { headers: { Authorization: 'Bearer ${SMOKE_TOKEN}' } };
  const server = { transport: 'shttp', url: `${url}/mcp`, ...headers };
  await writeFile(
    configuration,
    JSON.stringify({ server, toolHealthSuites: [{ name: 'tools', tests }], workflows: [] }),
  );
  return {
    program: 'mcpvals',
    title:
      harmless === undefined
        ? 'calls a tool that there is not'
        : `calls ${harmless}, and a tool that there is not`,
    command: [...npmProgram('npx'), '--yes', MCPVALS, 'eval', configuration, '--tool-health-only'],
    shows: new RegExp(`Passed Tests: ${tests.length}\\b`),
    env: { npm_config_ignore_scripts: 'true' },
  };
}

/** The part of a listed tool that the checks depend on. */
interface ListedTool {
  readonly name: string;
  readonly annotations?: { readonly readOnlyHint?: boolean };
  readonly inputSchema: { readonly required?: readonly string[] };
  readonly _meta?: { readonly ui?: { readonly resourceUri?: string } };
}

/** The tools of the server; none when it does not list them, and then the checks of them fail. */
async function listTools({ url, token }: Subject): Promise<readonly ListedTool[]> {
  const answer = await fetch(`${url}/mcp`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
  }).catch(() => undefined);
  if (answer?.ok !== true) return [];
  // oxlint-disable-next-line no-unsafe-type-assertion -- as the protocol has it; another server's answer has no such member
  const { result } = (await answer.json()) as {
    readonly result?: { readonly tools?: readonly ListedTool[] };
  };
  return result?.tools ?? [];
}

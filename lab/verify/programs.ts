/** The programs that look at a server, and what each is asked. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The server under test. */
export interface Subject {
  /** Without a slash at its end. */
  readonly url: string;
  readonly token: string | undefined;
  /** A folder for what programs keep. */
  readonly folder: string;
  /** A Node that all of them accept. */
  readonly node: string;
}

/** One question to a program. */
export interface Check {
  readonly program: 'inspector' | 'mcpc' | 'mcporter';
  readonly title: string;
  readonly command: readonly [string, ...string[]];
  /** What its output must show. */
  readonly shows: RegExp;
  readonly env?: Readonly<Record<string, string>>;
}

/** Their versions, so that what passes today passes tomorrow; the Inspector's and the suite's are those of package-lock.json. */
const MCPC = '@apify/mcpc@0.2.6';
const MCPORTER = 'mcporter@0.12.3';

/** Names a tool, in the JSON that all of them print. */
const NAMES_A_TOOL = /"name":\s*"[\w.-]+"/;

/** The checks, in their order: what one opens, the next use. */
export async function planChecks(subject: Subject): Promise<readonly Check[]> {
  const { url, token, folder } = subject;
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
    command: ['npx', '--yes', MCPC, ...args],
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
      command: ['npx', '--yes', MCPORTER, '--config', configuration, 'list', 'subject', '--json'],
      shows: /"status":\s*"ok"[^]*"name"/,
    },
  ];
}

/** add-mcp writes its files into an empty home, for every agent that it knows, and they are held against the table of clients. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { agents } from 'add-mcp';
import { parse as parseToml } from 'smol-toml';
import { parse as parseYaml } from 'yaml';
import { type ClientId, renderClient } from '../../src/connect/clients.ts';
import { createSandbox, ROOT, waitForEnd } from '../support/process.ts';

const TARGET = { name: 'mine', origin: 'https://my-app.example', token: 'mcp_0123456789' };
const URL_OF_MCP = `${TARGET.origin}/mcp`;
const HEADERS = { Authorization: `Bearer ${TARGET.token}` };

/** What add-mcp writes for an agent. */
interface Written {
  /** The end of the file's path in a home, the same on every system. */
  readonly file: string;
  /** Whose entry in the table has this form; undefined where none has. */
  readonly like?: ClientId;
  /** The same in the words of the table, where both are understood. */
  readonly inOurWords?: (file: object) => object;
}

/** The agents that are clients of the table. */
const OURS = {
  'claude-code': { file: '.claude.json', like: 'claude-code-json' },
  cline: { file: 'settings/cline_mcp_settings.json', like: 'cline' },
  'cline-cli': { file: '.cline/data/settings/cline_mcp_settings.json', like: 'cline' },
  // Codex tells a remote server by its `url`, and reads no `type`.
  codex: { file: '.codex/config.toml', like: 'codex', inOurWords: withoutType('mcp_servers') },
  cursor: { file: '.cursor/mcp.json', like: 'cursor' },
  // Gemini CLI takes `httpUrl` in every version, `url` with a `type` in the later ones only.
  'gemini-cli': { file: '.gemini/settings.json', like: 'gemini-cli', inOurWords: withHttpUrl },
  'github-copilot-cli': { file: '.copilot/mcp-config.json', like: 'copilot-cli' },
  goose: { file: 'goose/config.yaml', like: 'goose' },
  'kiro-cli': { file: '.kiro/settings/mcp.json', like: 'kiro' },
  // OpenCode reads the name with and without the c.
  opencode: { file: '.config/opencode/opencode.jsonc', like: 'opencode' },
  vscode: { file: 'Code/User/mcp.json', like: 'vscode' },
  windsurf: { file: '.codeium/windsurf/mcp_config.json', like: 'windsurf' },
  zed: { file: 'zed/settings.json', like: 'zed' },
} as const satisfies Readonly<Record<string, Written>>;

/** Those that the table leaves to its entry `add-mcp`: few people have them, and most take the form of a client that it has. */
const LEFT_TO_ADD_MCP = {
  antigravity: { file: '.gemini/config/mcp_config.json', like: 'windsurf' },
  'kilo-code': { file: '.config/kilo/kilo.json', like: 'opencode' },
  mastracode: { file: '.mastracode/mcp.json', like: 'cursor' },
  mcporter: { file: '.mcporter/mcporter.json', like: 'claude-code-json' },
  pi: { file: '.pi/agent/mcp.json', like: 'cursor' },
  // Forms of their own: Codex's with another name for the headers, Cursor's with a `transport`.
  'grok-build': { file: '.grok/config.toml' },
  'kimi-code': { file: '.kimi-code/mcp.json' },
} as const satisfies Readonly<Record<string, Written>>;

/** Those for which it writes nothing, and its reason. */
const REFUSED = {
  // The table has a bundle and the connector's dialog for it.
  'claude-desktop': 'Add remote servers through Settings → Connectors',
  // It takes a token from the environment alone, so no configuration that is handed out can hold one.
  fx: 'fx rejects a literal Authorization header',
} as const;

const WRITTEN: Readonly<Record<string, Written>> = { ...OURS, ...LEFT_TO_ADD_MCP };

const sandbox = createSandbox();
afterAll(async () => sandbox.close());

/** Runs the command that the table has, for some agents, in an empty home. */
async function runFor(names: readonly string[]) {
  const [home, cwd] = [await sandbox.folder(), await sandbox.folder()];
  const { text } = renderClient('add-mcp', TARGET);
  const words = text.replace('npx -y ', '').matchAll(/"([^"]*)"|[^\s\\]+/g);
  const [command = '', ...args] = Array.from(words, ([word, quoted]) => quoted ?? word);
  const run = sandbox.spawn({
    command: path.join(ROOT, 'node_modules', '.bin', command),
    args: [...args, ...names.flatMap((name) => ['-a', name])],
    cwd,
    env: { HOME: home, USERPROFILE: home, APPDATA: path.join(home, 'AppData', 'Roaming') },
  });
  run.child.stdin.end();
  const { code } = await waitForEnd(run, { timeoutMs: 60_000 });
  return { home, cwd, code, output: run.stdout() + run.stderr() };
}

/** Every file below a folder, as relative paths with slashes. */
async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => path.relative(folder, path.join(parentPath, name)).replaceAll('\\', '/'));
}

/** A configuration as what it says. */
function read(text: string, form: string): object {
  if (form === 'toml') return parseToml(text);
  return (form === 'yaml' ? parseYaml(text) : JSON.parse(text)) as object;
}

/** What the table has, as what it says; Claude Code's command writes the file that add-mcp writes. */
function ours(id: ClientId): object {
  const { text, form } = renderClient(id, TARGET);
  if (form !== 'shell') return read(text, form);
  return { mcpServers: { [TARGET.name]: JSON.parse(/'(.*)'/.exec(text)?.[1] ?? '') as unknown } };
}

/** Takes the type out of the entry. */
function withoutType(key: string) {
  return (file: object): object => {
    const { type, ...entry } = entryOf(file, key);
    expect(type).toBe('http');
    return { [key]: { [TARGET.name]: entry } };
  };
}

/** `httpUrl` for `url` and its type. */
function withHttpUrl(file: object): object {
  const { type, url, ...entry } = entryOf(file, 'mcpServers');
  expect(type).toBe('http');
  return { mcpServers: { [TARGET.name]: { httpUrl: url, ...entry } } };
}

/** The only entry of a file. */
function entryOf(file: object, key: string): Readonly<Record<string, unknown>> {
  return (file as Record<string, Record<string, Record<string, unknown>>>)[key]?.[TARGET.name] ?? {};
}

test('add-mcp knows no agent that is in none of the lists', () => {
  expect([...Object.keys(WRITTEN), ...Object.keys(REFUSED)].toSorted()).toEqual(
    Object.keys(agents).toSorted(),
  );
});

describe('add-mcp in an empty home', () => {
  let ran: Awaited<ReturnType<typeof runFor>>;
  let files: string[];
  beforeAll(async () => {
    ran = await runFor(Object.keys(WRITTEN));
    files = await filesIn(ran.home);
  }, 70_000);

  test('writes one file for each agent, and none into the folder that it is run in', async () => {
    expect(ran.code).toBe(0);
    expect(files).toHaveLength(Object.keys(WRITTEN).length);
    expect(await filesIn(ran.cwd)).toEqual([]);
  });

  test.each(Object.entries(WRITTEN))(
    'writes for %s the address and the header, as the table has them',
    async (_agent, { file, like, inOurWords = (theirs) => theirs }) => {
      const found = files.find((name) => name === file || name.endsWith(`/${file}`));
      const theirs = read(
        await readFile(path.join(ran.home, found ?? file), 'utf8'),
        path.extname(file).slice(1),
      );

      expect(inOurWords(theirs)).toEqual(like === undefined ? theirs : ours(like));
      const said = JSON.stringify(theirs);
      expect([said.includes(`"${URL_OF_MCP}"`), said.includes(JSON.stringify(HEADERS))]).toEqual([
        true,
        true,
      ]);
    },
  );

  test.each(Object.entries(OURS))('writes for %s where the table says', (_agent, { file, like }) => {
    const { where } = renderClient(like, TARGET);
    const named = /~\/([\w./-]+)/.exec(where)?.[1] ?? '';

    // Without a path, the table names a command of the client that writes or opens the file.
    const place = named === '' ? where : `/${named}`;
    expect(place).toMatch(
      named === ''
        ? /a terminal|User Configuration|cline_mcp_settings\.json/
        : new RegExp(`/${file.replace(/c$/, '')}$`),
    );
  });
});

test.each(Object.entries(REFUSED))('add-mcp writes nothing for %s, and says why', async (agent, reason) => {
  const { home, code, output } = await runFor([agent]);

  expect(code).toBe(1);
  expect(output).toContain(reason);
  expect(await filesIn(home)).toEqual([]);
});

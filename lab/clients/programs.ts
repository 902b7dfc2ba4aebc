/** The client programs that start without an account: where each keeps its configuration, and how it is asked for its servers. */
import type { ClientId } from '../../src/connect/clients.ts';

/** A program. */
export interface ClientProgram {
  /** Its entry in the table of clients. */
  readonly id: ClientId;
  /** Fixed, so that what passes today passes tomorrow. */
  readonly package: string;
  /** Where in its user's home the printed configuration goes; undefined where it is a command to run. */
  readonly file?: string;
  /** The command that lists the servers. */
  readonly list: string;
  /** Files that it wants besides. */
  readonly besides?: Readonly<Record<string, (home: string) => string>>;
  /** What it must show of a server of this name at this address. */
  readonly shows: (name: string, url: string) => RegExp;
}

/** Its name, and after it this. */
const after = (name: string, text: string): RegExp => new RegExp(`${literal(name)}[^]*${text}`);

/** The programs. */
export const PROGRAMS: readonly ClientProgram[] = [
  {
    id: 'claude-code-json',
    package: '@anthropic-ai/claude-code@2.1.332',
    list: 'claude mcp list',
    shows: (name, url) => after(`${name}: ${url}`, '✔ Connected'),
  },
  {
    id: 'codex',
    package: '@openai/codex@0.169.0',
    file: '.codex/config.toml',
    list: 'codex mcp list',
    shows: (name, url) => after(name, `${literal(url)}.*enabled +Bearer token`),
  },
  {
    id: 'gemini-cli',
    package: '@google/gemini-cli@0.61.0',
    file: '.gemini/settings.json',
    list: 'gemini mcp list',
    // It starts no server in a folder that nobody has called their own.
    besides: { '.gemini/trustedFolders.json': (home) => JSON.stringify({ [home]: 'TRUST_FOLDER' }) },
    shows: (name, url) => after(`${name}: ${url}`, 'Connected'),
  },
  {
    id: 'opencode',
    package: 'opencode-ai@1.18.33',
    file: '.config/opencode/opencode.json',
    list: 'opencode mcp list',
    shows: (name, url) => after(name, `connected[^]*${literal(url)}`),
  },
  {
    id: 'cline',
    package: 'cline@3.0.65',
    file: '.cline/data/settings/cline_mcp_settings.json',
    list: 'cline config mcp',
    shows: (name) => after(name, '\\[streamableHttp\\]'),
  },
  {
    id: 'copilot-cli',
    package: '@github/copilot@1.0.102',
    file: '.copilot/mcp-config.json',
    list: 'copilot mcp list',
    shows: (name) => after(name, '\\(http\\)'),
  },
];

/** A text as part of a pattern. */
function literal(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

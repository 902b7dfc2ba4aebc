/** The client programs that start without an account: where each keeps its configuration, and how it lists its servers. */
import type { ClientId } from '../../src/connect/clients.ts';

/** A client program. */
export interface ClientProgram {
  /** The id of its entry in the table of clients. */
  readonly id: ClientId;
  /** The package, at a fixed version, so that what passes today passes tomorrow. */
  readonly package: string;
  /** The file in the user's home for the printed configuration; undefined when the configuration is a command. */
  readonly file?: string;
  /** The command that lists the servers. */
  readonly list: string;
  /** Further files that the program needs. */
  readonly besides?: Readonly<Record<string, (home: string) => string>>;
  /** Matches the output that lists a server of this name and address. */
  readonly shows: (name: string, url: string) => RegExp;
}

/** Matches a name, and this pattern somewhere after it. */
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
    // Gemini CLI starts no servers in a folder that is not trusted.
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

/** Escapes a text for use in a regular expression. */
function literal(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

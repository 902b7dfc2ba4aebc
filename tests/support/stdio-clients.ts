/** Starts a server over stdio for real MCP clients of both SDK generations, as desktop hosts do. */
import { Client as ClientV2 } from '@modelcontextprotocol/client';
import { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { bareEnvironment, type ProcessOptions, type Sandbox } from './process.ts';

/** The kinds of clients. */
export const STDIO_KINDS = ['v1', 'v2', 'v2 2026-07-28'] as const;
export type StdioKind = (typeof STDIO_KINDS)[number];

/** The answer of a tool. */
export interface ToolAnswer {
  readonly text: string;
  readonly isError: boolean;
}

/** A client, and the server process that it has started. */
export interface StdioClient {
  /** The names of the tools, in the server's order. */
  listTools(): Promise<string[]>;
  call(name: string, input?: Record<string, unknown>): Promise<ToolAnswer>;
  /** Everything the process has written to stderr. */
  stderr(): string;
  close(): Promise<void>;
}

/** Starts the process and connects to it; the sandbox closes the client. */
export async function connectStdio(
  sandbox: Sandbox,
  kind: StdioKind,
  { command = process.execPath, args, cwd, env }: ProcessOptions,
): Promise<StdioClient> {
  const parameters = {
    command,
    args: [...args],
    cwd,
    env: bareEnvironment(cwd, env),
    stderr: 'pipe' as const,
  };
  const output = { stderr: '' };
  const stderr = (): string => output.stderr;
  const watch = (transport: StdioV1 | StdioV2): void => {
    transport.stderr?.on('data', (part: Buffer) => (output.stderr += part.toString()));
  };
  if (kind === 'v1') {
    const client = new ClientV1({ name: 'test-v1', version: '1.0.0' });
    const transport = new StdioV1(parameters);
    watch(transport);
    sandbox.defer(async () => client.close());
    await client.connect(transport);
    return {
      stderr,
      listTools: async () => (await client.listTools()).tools.map(({ name }) => name),
      call: async (name, input = {}) => simplify(await client.callTool({ name, arguments: input })),
      close: async () => client.close(),
    };
  }
  const client = new ClientV2(
    { name: 'test-v2', version: '1.0.0' },
    { versionNegotiation: { mode: kind === 'v2' ? 'legacy' : { pin: '2026-07-28' } } },
  );
  const transport = new StdioV2(parameters);
  watch(transport);
  sandbox.defer(async () => client.close());
  await client.connect(transport);
  return {
    stderr,
    listTools: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: async (name, input = {}) => simplify(await client.callTool({ name, arguments: input })),
    close: async () => client.close(),
  };
}

/** The text of a tool's result, and whether it is an error. */
function simplify(result: unknown): ToolAnswer {
  const { content, isError = false } = result as { content: { text?: string }[]; isError?: boolean };
  return { text: content.map(({ text = '' }) => text).join(''), isError };
}

/** Connects real MCP clients of both SDK generations, over every transport and kind of revision, behind one small interface. */
import {
  Client as ClientV2,
  SSEClientTransport as SseV2,
  StreamableHTTPClientTransport as HttpV2,
} from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport as SseV1 } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

/** The kinds of clients. */
export const CLIENT_KINDS = ['v1 sse', 'v1 http', 'v2 sse', 'v2 http', 'v2 http 2026-07-28'] as const;

/** The operations of a client that the soak uses. */
export interface SoakClient {
  /** Calls a tool and returns the text of its answer; throws when the tool reports a failure. */
  call(name: string, input: Readonly<Record<string, unknown>>): Promise<string>;
  toolNames(): Promise<string[]>;
  /** Ends the session, where the transport has a request for that, and disconnects. */
  leave(): Promise<void>;
  /** Disconnects without ending the session. */
  vanish(): Promise<void>;
}

/** Connects a client of a kind. */
export async function connectClient(
  kind: (typeof CLIENT_KINDS)[number],
  url: string,
  token: string,
): Promise<SoakClient> {
  const isSse = kind.endsWith('sse');
  const address = new URL(isSse ? '/sse' : '/mcp', url);
  const options = { requestInit: { headers: { Authorization: `Bearer ${token}` } } };
  if (kind.startsWith('v1')) {
    const client = new ClientV1({ name: 'soak-v1', version: '1.0.0' });
    const transport = isSse ? new SseV1(address, options) : new HttpV1(address, options);
    await client.connect(transport);
    return faceOf({
      callTool: async (name, input) => client.callTool({ name, arguments: input }),
      listTools: async () => client.listTools(),
      terminate: async () => (transport instanceof HttpV1 ? transport.terminateSession() : undefined),
      close: async () => client.close(),
    });
  }
  const mode = kind.endsWith('2026-07-28') ? { pin: '2026-07-28' } : 'legacy';
  const client = new ClientV2({ name: 'soak-v2', version: '1.0.0' }, { versionNegotiation: { mode } });
  const transport = isSse ? new SseV2(address, options) : new HttpV2(address, options);
  await client.connect(transport);
  return faceOf({
    callTool: async (name, input) => client.callTool({ name, arguments: input }),
    listTools: async () => client.listTools(),
    terminate: async () =>
      transport instanceof HttpV2 && transport.sessionId !== undefined
        ? transport.terminateSession()
        : undefined,
    close: async () => client.close(),
  });
}

/** The part of both generations' clients that is used here. */
interface Inner {
  readonly callTool: (name: string, input: Record<string, unknown>) => Promise<unknown>;
  readonly listTools: () => Promise<{ tools: { name: string }[] }>;
  readonly terminate: () => Promise<unknown>;
  readonly close: () => Promise<void>;
}

/** How long an answer may take. Milliseconds. */
const DEADLINE_MS = 15_000;

/** Makes the interface for a client of either generation. */
function faceOf({ callTool, listTools, terminate, close }: Inner): SoakClient {
  return {
    async call(name, input) {
      const result = await inTime(callTool(name, { ...input }), `an answer to ${name}`);
      const { content, isError } = toResult(result);
      const text = content.map((part) => part.text ?? '').join('');
      if (isError === true) throw new Error(`${name} failed: ${text}`);
      return text;
    },
    async toolNames() {
      const { tools } = await inTime(listTools(), 'the list of tools');
      return tools.map(({ name }) => name);
    },
    async leave() {
      await inTime(terminate(), 'the end of the session');
      await close();
    },
    vanish: close,
  };
}

/** A tool's result, in the form that both generations have. */
function toResult(result: unknown): { content: { text?: string }[]; isError?: boolean } {
  // oxlint-disable-next-line no-unsafe-type-assertion -- the clients have validated it
  return result as { content: { text?: string }[]; isError?: boolean };
}

/** The value of a promise. Throws when it takes too long: the answer counts as lost then. */
export async function inTime<T>(promise: Promise<T>, what: string, timeoutMs = DEADLINE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`lost: ${what} did not come within ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
  });
  try {
    return await Promise.race([promise, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

/** Connects real MCP clients of both SDK generations to a server under test. */
import {
  Client as ClientV2,
  SSEClientTransport as SseV2,
  StreamableHTTPClientTransport as HttpV2,
} from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport as SseV1 } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CallToolResultSchema } from '@modelcontextprotocol/sdk/types.js';

/** The server, and the token. */
export interface ConnectOptions {
  readonly url: string;
  readonly token?: string;
}

/** The part of a client that tests use; the same for both generations. */
export interface TestClient {
  readonly listTools: () => Promise<{ tools: { name: string }[] }>;
  /** Calls a tool; returns its text and whether it is an error. `onResumable` is called with the event ids from which a stream can be resumed. */
  readonly call: (
    name: string,
    input?: Record<string, unknown>,
    onResumable?: (lastEventId: string) => void,
  ) => Promise<{ text: string; isError: boolean }>;
  readonly protocolVersion: () => string | undefined;
  readonly close: () => Promise<void>;
}

/** The kinds of clients. */
export const CLIENT_KINDS = ['v1 sse', 'v1 http', 'v2 sse', 'v2 http', 'v2 http 2026-07-28'] as const;
export type ClientKind = (typeof CLIENT_KINDS)[number];

/** Connects a client of a kind. */
export async function connectClient(kind: ClientKind, { url, token }: ConnectOptions): Promise<TestClient> {
  const requestInit = { headers: token === undefined ? {} : { Authorization: `Bearer ${token}` } };
  const isSse = kind.endsWith('sse');
  const address = new URL(isSse ? '/sse' : '/mcp', url);
  if (kind.startsWith('v1')) {
    const client = new ClientV1({ name: 'test-v1', version: '1.0.0' });
    const transport = isSse ? new SseV1(address, { requestInit }) : new HttpV1(address, { requestInit });
    await client.connect(transport);
    return {
      listTools: async () => client.listTools(),
      call: async (name, input, onResumable) =>
        simplify(
          await client.callTool(
            { name, ...(input && { arguments: input }) },
            CallToolResultSchema,
            onResumable && { onresumptiontoken: onResumable },
          ),
        ),
      protocolVersion: () => ('protocolVersion' in transport ? transport.protocolVersion : undefined),
      close: async () => client.close(),
    };
  }
  const client = new ClientV2(
    { name: 'test-v2', version: '1.0.0' },
    { versionNegotiation: { mode: kind.endsWith('2026-07-28') ? { pin: '2026-07-28' } : 'legacy' } },
  );
  const transport = isSse ? new SseV2(address, { requestInit }) : new HttpV2(address, { requestInit });
  await client.connect(transport);
  return {
    listTools: async () => client.listTools(),
    call: async (name, input, onResumable) =>
      simplify(
        await client.callTool(
          { name, ...(input && { arguments: input }) },
          onResumable && { onresumptiontoken: onResumable },
        ),
      ),
    protocolVersion: () => client.getNegotiatedProtocolVersion(),
    close: async () => client.close(),
  };
}

/** The text of a tool's result, and whether it is an error. */
function simplify(result: unknown): { text: string; isError: boolean } {
  const { content, isError = false } = result as { content: { text?: string }[]; isError?: boolean };
  return { text: content.map(({ text = '' }) => text).join(''), isError };
}

/** Connects real MCP clients to the deployment, as its users' programs would. */
import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
} from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { type Target, urlOf } from './http.ts';
import { CheckFailure, withDeadline } from './outcome.ts';

/** The parts of a tool's description that checks look at. */
export interface ListedTool {
  readonly name: string;
  readonly inputSchema: { readonly required?: readonly string[] | undefined };
  readonly annotations?: { readonly readOnlyHint?: boolean | undefined } | undefined;
}

/** The part of a client that checks use; the same for both generations of the SDK. */
export interface ToolClient {
  listTools(): Promise<{ readonly tools: readonly ListedTool[] }>;
  callTool(call: { name: string; arguments: Record<string, unknown> }): Promise<unknown>;
  close(): Promise<void>;
}

/** A client of Streamable HTTP that has a session. */
export interface SessionClient extends ToolClient {
  readonly sessionId: () => string | undefined;
  /** Ends the session at the server (DELETE). */
  endSession(): Promise<void>;
}

const INFO = { name: 'smoke-test', version: '1.0.0' };

/** Connects over HTTP+SSE. */
export async function connectSse(target: Target): Promise<ToolClient> {
  const transport = new SSEClientTransport(urlOf(target, '/sse'), withToken(target));
  return connectV1(transport, target);
}

/** Connects over Streamable HTTP with a session. */
export async function connectSession(target: Target): Promise<SessionClient> {
  const transport = new StreamableHTTPClientTransport(urlOf(target, '/mcp'), withToken(target));
  const client = await connectV1(transport, target);
  return {
    ...client,
    sessionId: () => transport.sessionId,
    endSession: async () => transport.terminateSession(),
  };
}

/** Connects with the stateless revision 2026-07-28, and no other. */
export async function connectStateless(target: Target): Promise<ToolClient> {
  const client = new ModernClient(INFO, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  const transport = new ModernTransport(urlOf(target, '/mcp'), withToken(target));
  const { timeoutMs } = target;
  await orExplain(client.connect(transport, { timeout: timeoutMs }), timeoutMs, async () => client.close());
  return {
    listTools: async () => orExplain(client.listTools({}, { timeout: timeoutMs }), timeoutMs),
    callTool: async (call) => orExplain(client.callTool(call, { timeout: timeoutMs }), timeoutMs),
    close: async () => client.close(),
  };
}

/** Connects a client of the SDK's first generation over a transport. */
export async function connectV1(
  transport: Transport,
  { timeoutMs, info = INFO }: Pick<Target, 'timeoutMs'> & { readonly info?: typeof INFO },
): Promise<ToolClient> {
  const client = new Client(info);
  const options = { timeout: timeoutMs };
  await orExplain(client.connect(transport, options), timeoutMs, async () => client.close());
  return {
    listTools: async () => orExplain(client.listTools({}, options), timeoutMs),
    callTool: async (call) => orExplain(client.callTool(call, undefined, options), timeoutMs),
    close: async () => client.close(),
  };
}

/** How much longer than the SDK's own time-out a check waits: the SDK has none for opening a stream. Milliseconds. */
const EXTRA_MS = 500;
const DEAD =
  'The stream is dead: a proxy accepted the request and forwards nothing of the answer, or the server hangs. Compare with the same check against the server itself, without the proxy.';

/** The result of a client's request. Turns an error, or a missing answer, into a failure with advice. */
async function orExplain<T>(
  work: Promise<T>,
  timeoutMs: number,
  cleanUp: () => Promise<void> = async () => undefined,
): Promise<T> {
  const silence = (): CheckFailure => new CheckFailure(`No answer came within ${timeoutMs / 1000} s.`, DEAD);
  try {
    return await withDeadline(work, timeoutMs + EXTRA_MS, silence);
  } catch (error) {
    await cleanUp();
    if (error instanceof CheckFailure) throw error;
    const message = error instanceof Error ? error.message : String(error);
    if (/timed out/i.test(message)) throw silence();
    throw new CheckFailure(
      `The client reports: ${message.slice(0, 400)}`,
      "The steps above and the server's log say more.",
      {
        cause: error,
      },
    );
  }
}

/** The transport options that send the token; the same for both generations of the SDK. */
function withToken({ token }: Target): { requestInit: RequestInit } {
  return { requestInit: { headers: token === undefined ? {} : { Authorization: `Bearer ${token}` } } };
}

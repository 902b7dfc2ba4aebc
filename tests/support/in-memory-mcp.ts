/** Connects an MCP server and a real client in one process, without HTTP. Each request carries its own caller, as with HTTP. */
import { Client } from '@modelcontextprotocol/client';
import { InMemoryTransport, type JSONRPCMessage, type McpServer } from '@modelcontextprotocol/server';
import { createUserContext, type UserFields } from '../../src/auth/user.ts';
import type { CallLimit } from '../../src/mcp/call-limit.ts';
import { type Caller, toAuthInfo } from '../../src/mcp/caller.ts';
import type { Feature } from '../../src/mcp/feature.ts';
import { createMcpServer, defineMcp, type McpDefinition } from '../../src/mcp/server.ts';
import type { Tool } from '../../src/mcp/tool.ts';
import { NO_SERVICES } from '../../src/server/services.ts';
import { createMemoryLog, type LogLine } from './memory-log.ts';

/** What the server offers, and the first user. */
export interface InMemoryOptions {
  readonly tools?: readonly Tool[];
  readonly features?: readonly Feature[];
  readonly maxCallsPerUser?: number;
  readonly callLimit?: CallLimit;
  readonly shortWay?: NonNullable<Parameters<typeof defineMcp>[0]['shortWay']>;
  /** The user of every request until {@link InMemoryConnection.actAs} names another. */
  readonly user?: UserFields;
}

/** The client's side of a connection, and the server's log. */
export interface InMemoryConnection {
  readonly client: Client;
  readonly server: McpServer;
  readonly definition: McpDefinition;
  readonly lines: readonly LogLine[];
  /** Every message that the server has sent. */
  readonly sent: readonly JSONRPCMessage[];
  /** Gives all further requests the credential of another user. */
  actAs(user: UserFields): void;
  /** Calls a tool and returns its unchanged result. */
  call(name: string, input?: Record<string, unknown>, options?: CallOptions): ReturnType<Client['callTool']>;
  close(): Promise<void>;
}

type CallOptions = Parameters<Client['callTool']>[1];

/** Makes the definition of a server under test, and its log. */
export function createDefinition({
  tools = [],
  features = [],
  maxCallsPerUser,
  callLimit,
  shortWay,
}: InMemoryOptions = {}) {
  const { log, lines } = createMemoryLog();
  const { use } = NO_SERVICES;
  return {
    definition: defineMcp({
      info: { name: 'test', version: '1.2.3' },
      tools,
      features,
      use,
      log,
      maxCallsPerUser,
      callLimit,
      ...(shortWay && { shortWay }),
    }),
    lines,
  };
}

/** Makes a caller, as one over Streamable HTTP. */
export function createCaller(user: UserFields, requestId: string): Caller {
  const grant = { user: createUserContext(user), tokenId: '0a1b2c3d' };
  return { user: grant.user, grant, transport: 'streamable-http', requestId };
}

/** Connects a client that uses a revision with sessions. */
export async function connectInMemory(options: InMemoryOptions = {}): Promise<InMemoryConnection> {
  let user = options.user ?? { userId: 'ada', name: 'Ada Lovelace' };
  let requests = 0;
  const { definition, lines } = createDefinition(options);
  const server = createMcpServer(definition, { session: { userId: user.userId } });
  const [clientSide, serverSide] = InMemoryTransport.createLinkedPair();
  const send = clientSide.send.bind(clientSide);
  clientSide.send = async (message, sendOptions) => {
    requests += 1;
    const authInfo = toAuthInfo(createCaller(user, `request-${requests}`));
    return send(message, { ...sendOptions, authInfo });
  };
  const sent: JSONRPCMessage[] = [];
  const answer = serverSide.send.bind(serverSide);
  serverSide.send = async (message, sendOptions) => {
    sent.push(message);
    return answer(message, sendOptions);
  };
  const client = new Client(
    { name: 'test', version: '1.0.0' },
    { capabilities: { elicitation: {} }, versionNegotiation: { mode: 'legacy' } },
  );
  await server.connect(serverSide);
  await client.connect(clientSide);
  return {
    client,
    server,
    definition,
    lines,
    sent,
    actAs: (next) => {
      user = next;
    },
    call: async (name, input, callOptions) =>
      client.callTool({ name, ...(input && { arguments: input }) }, callOptions),
    close: async () => client.close(),
  };
}

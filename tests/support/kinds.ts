/** Connects clients of SDK v2 over both HTTP transports, and in the revision without sessions. */
import {
  Client,
  SSEClientTransport,
  StreamableHTTPClientTransport,
  type Transport,
} from '@modelcontextprotocol/client';

/** The ways in which a client can connect. */
export const KINDS = ['sse', 'http', '2026-07-28'] as const;
export type Kind = (typeof KINDS)[number];

/** The options of a client. */
export interface KindOptions {
  readonly kind: Kind;
  readonly token: string;
  readonly capabilities?: { readonly elicitation?: Record<string, never> };
}

/** Connects a client; `prepare` may set its handlers first. */
export async function connectKind(
  url: string,
  { kind, token, capabilities = {} }: KindOptions,
  prepare: (client: Client) => void = () => {},
): Promise<Client> {
  const requestInit = { headers: { Authorization: `Bearer ${token}` } };
  const transport: Transport =
    kind === 'sse'
      ? new SSEClientTransport(new URL('/sse', url), { requestInit })
      : new StreamableHTTPClientTransport(new URL('/mcp', url), { requestInit });
  const client = new Client(
    { name: 'test', version: '1' },
    {
      capabilities,
      versionNegotiation: { mode: kind === '2026-07-28' ? { pin: kind } : 'legacy' },
    },
  );
  prepare(client);
  await client.connect(transport);
  return client;
}

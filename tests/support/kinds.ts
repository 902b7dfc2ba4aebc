/** Clients of SDK v2 over every transport of HTTP and in the revision without sessions. */
import {
  Client,
  SSEClientTransport,
  StreamableHTTPClientTransport,
  type Transport,
} from '@modelcontextprotocol/client';

/** The ways in which a client may speak to a server. */
export const KINDS = ['sse', 'http', '2026-07-28'] as const;
export type Kind = (typeof KINDS)[number];

/** What a test may want of a client. */
export interface KindOptions {
  readonly kind: Kind;
  readonly token: string;
  readonly capabilities?: { readonly elicitation?: Record<string, never> };
}

/** Connects a client, on which `prepare` sets handlers before. */
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

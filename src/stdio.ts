/** The stdio entry: the same tools for a local host; stdout belongs to the protocol. */
import { randomUUID } from 'node:crypto';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import type { Logger } from 'pino';
import { createAuthenticator } from './auth/authenticate.ts';
import { openTokens } from './auth/tokens/open-tokens.ts';
import { ANONYMOUS } from './auth/user.ts';
import type { Grant } from './auth/verifier.ts';
import { ConfigError, parseStdioConfig, readEnvironment, type StdioConfig } from './config/config.ts';
import { features } from './features/index.ts';
import { SERVER_INFO } from './info.ts';
import { createLog } from './log.ts';
import { createMcpServer, defineMcp } from './mcp/server.ts';
import { describeStartFailure } from './server/start-messages.ts';
import { tools } from './tools/index.ts';

/** Serves the process's standard streams until the host closes them. */
async function main(): Promise<void> {
  const config = parseStdioConfig(readEnvironment(process.env));
  const log = createLog(config.logLevel);
  const grant = await identifyUser(config, log);
  const definition = defineMcp({ info: SERVER_INFO, tools, features, log });
  const connection = serveStdio(() =>
    createMcpServer(definition, {
      caller: () => ({ user: grant.user, grant, transport: 'stdio', requestId: randomUUID() }),
      session: grant.user,
    }),
  );
  log.info({ userId: grant.user.userId, tokenId: grant.tokenId }, 'serving stdio');

  // No end of stdin is waited for: with it the process has nothing left to do but the calls in flight, and then ends.
  const stop = (): void => void connection.close().then(() => process.exit(0));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop);
}

/** The user of this process: the one whose token MCP_TOKEN is, when authentication is on. */
async function identifyUser({ auth, token }: StdioConfig, log: Logger): Promise<Grant> {
  if (!auth.enabled) return { user: ANONYMOUS };
  const { verifier, file } = await openTokens({ source: auth.tokens, allowOneRunToken: false, log });
  // Checked once: whoever can start the process can start it again.
  file?.close();
  const found = await createAuthenticator(verifier).authenticate(
    token === undefined ? {} : { authorization: `Bearer ${token}` },
  );
  if (found.ok) return found.grant;
  throw new ConfigError(
    `MCP_TOKEN is refused (${found.refusal.reason}). ${token === undefined ? 'Set it to a token of the token file.' : found.refusal.description}`,
  );
}

await main().catch((error: unknown) => {
  process.stderr.write(`${describeStartFailure(error)}\n`);
  process.exit(1);
});

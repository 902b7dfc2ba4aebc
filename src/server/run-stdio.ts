/** The life of a stdio server: one user, one connection, no network. */
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import type { Logger } from 'pino';
import { createAuthenticator } from '../auth/authenticate.ts';
import { openTokens } from '../auth/tokens/open-tokens.ts';
import { ANONYMOUS } from '../auth/user.ts';
import type { Grant } from '../auth/verifier.ts';
import { ConfigError } from '../config/config-error.ts';
import { parseStdioConfig, type StdioConfig } from '../config/config.ts';
import { type EnvironmentFile, parseEnvironment } from '../config/environment.ts';
import { createLog } from '../log.ts';
import { CallLimit } from '../mcp/call-limit.ts';
import { createMcpServer, defineMcp } from '../mcp/server.ts';
import { packageFolder, readPackage } from '../package.ts';
import { createSignalListener, listenToEndSignals } from './end-signals.ts';
import { PatientStdio } from './patient-stdio.ts';
import { runStart, type Start } from './run-start.ts';
import { infoOf, ownVariablesOf, type ServerDefinition } from './server-definition.ts';
import { openServices } from './services.ts';
import { surviveSurprises } from './survive-surprises.ts';

/** Serves the process's standard streams until the host closes them; a start that fails ends the process with one message. */
export async function runStdio(definition: ServerDefinition, environment: NodeJS.ProcessEnv): Promise<void> {
  await runStart(async (start) => startParts(definition, environment, start));
}

/** The `.env` beside package.json. That of the working directory belongs to whatever project the host was opened in. */
function ownFile(): EnvironmentFile {
  return { path: path.join(packageFolder(), '.env'), name: "the file .env beside the server's package.json" };
}

/** Builds the parts and starts them. */
async function startParts(
  definition: ServerDefinition,
  environment: NodeJS.ProcessEnv,
  start: Start,
): Promise<void> {
  const own = ownVariablesOf(definition);
  const config = parseEnvironment(environment, (all) => parseStdioConfig(all, own), ownFile());
  const log = createLog(config.logLevel);
  const grant = await identifyUser(config, log);
  const services = await openServices({
    services: definition.services ?? [],
    values: config.own,
    log,
    folder: packageFolder(),
    onBegin: start.closesBy,
  });
  const { title, instructions, tools, features } = definition;
  const { use, changes } = services;
  const info = infoOf(readPackage(), title);
  const { callsPerMinute, maxCallsPerUser } = config.limits;
  const callLimit = new CallLimit({ perMinute: callsPerMinute });
  const mcp = defineMcp({
    info,
    instructions,
    tools,
    features,
    use,
    changes,
    log,
    callLimit,
    maxCallsPerUser,
  });
  if (!start.finish()) return;
  surviveSurprises(log);
  const end = async (): Promise<void> => {
    await connection.close();
    await services.close();
    await flush(process.stdout);
    process.exit(0);
  };
  let ending: Promise<void> | undefined;
  const stop = (): Promise<void> => (ending ??= end());
  const connection = serveStdio(
    () =>
      createMcpServer(mcp, {
        caller: () => ({ user: grant.user, grant, transport: 'stdio', requestId: randomUUID() }),
        session: grant.user,
      }),
    {
      transport: new PatientStdio({
        onRefused: (reason) => log.warn({ reason }, 'a line on stdin is not a JSON-RPC message'),
        // A service may hold what keeps the process alive until it is closed.
        onOver: () => void stop(),
      }),
    },
  );
  log.info({ userId: grant.user.userId, tokenId: grant.tokenId }, 'serving stdio');

  listenToEndSignals(createSignalListener(stop));
  // A call may wait for something that never comes, with nothing that keeps the process alive.
  process.once('beforeExit', () => void stop());
}

/** Resolves when everything has been written, or nobody reads it: outside Linux, what still waits for a pipe is lost when the process ends. */
async function flush(output: NodeJS.WriteStream): Promise<void> {
  await new Promise<void>((resolve) => {
    output.once('error', () => resolve()).write('', () => resolve());
  });
}

/**
 * Finds the grant of this process: that of the token in MCP_TOKEN, when authentication is on.
 * @throws {ConfigError} when the token is refused
 */
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

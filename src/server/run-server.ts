/** The life of a server process: configuration → tokens → server → signals. */
import type { Logger } from 'pino';
import { openTokens, type OpenTokens } from '../auth/tokens/open-tokens.ts';
import { parseConfig } from '../config/config.ts';
import { parseEnvironment } from '../config/environment.ts';
import { lookAround } from '../config/surroundings.ts';
import { warnAboutDescriptors } from '../http/gate/connections.ts';
import { createLog } from '../log.ts';
import { readPackage } from '../package.ts';
import { openTokensOf } from './database-tokens.ts';
import { closeAll, createSignalListener, listenToEndSignals } from './end-signals.ts';
import { loadAhead } from './load-ahead.ts';
import { runStart, type Start } from './run-start.ts';
import { ownVariablesOf, type ServerDefinition } from './server-definition.ts';
import { type OpenServices, openServices } from './services.ts';
import { type RunningServer, startServer } from './start-server.ts';
import { usableUrlOf } from './listening.ts';
import {
  adviseSecret,
  printOneRunToken,
  tellSignIn,
  warnAboutExposure,
  warnAboutUnusedSettings,
} from './start-messages.ts';
import { surviveSurprises } from './survive-surprises.ts';

/** Runs the server until a signal ends the process; a start that fails ends it at once, with one message. */
export async function runServer(definition: ServerDefinition, environment: NodeJS.ProcessEnv): Promise<void> {
  await runStart(async (start) => startParts(definition, environment, start));
}

/** Builds the parts and starts them. */
async function startParts(
  definition: ServerDefinition,
  environment: NodeJS.ProcessEnv,
  start: Start,
): Promise<void> {
  const around = lookAround({ pid: process.pid });
  const config = parseEnvironment(environment, (all) => parseConfig(all, ownVariablesOf(definition), around));
  const log = createLog(config.logLevel);
  const { enabled, tokens: source, adminToken, weakTokens } = config.auth;
  const tokens = enabled
    ? await openTokens({
        source,
        adminToken,
        openDatabase: openTokensOf(config.storage),
        allowOneRunToken: !config.production,
        mayBeNone: config.provider !== undefined,
        weakTokens,
        log,
      })
    : undefined;
  const services = await openServices({
    services: definition.services ?? [],
    values: config.own,
    log,
    onBegin: start.closesBy,
  });

  const server = await startServer({ config, verifier: tokens?.verifier, definition, services, log });
  if (!start.finish()) return;
  // Before the log says that the server listens: whoever reads that may send a signal.
  surviveSurprises(log);
  handleSignals({ server, services, tokens, log });
  const { publicUrl } = config.origin;
  log.info({ url: server.url, publicUrl, auth: enabled, authBecause: config.auth.because }, 'listening');
  warnAboutExposure(config, log);
  warnAboutUnusedSettings(config, log);
  adviseSecret(config, log);
  tellSignIn(config, server.url, log);
  warnAboutDescriptors(config.limits.maxSessions, log);
  void loadAhead(server.loads, log);
  if (tokens?.oneRunToken !== undefined) {
    const { name } = readPackage();
    printOneRunToken(
      { name, origin: publicUrl ?? usableUrlOf(server.url), token: tokens.oneRunToken },
      config,
    );
  }
}

/** What runs, and must be closed at the end. */
interface Running {
  readonly server: RunningServer;
  readonly services: OpenServices;
  readonly tokens: OpenTokens | undefined;
  readonly log: Logger;
}

/**
 * SIGTERM and SIGINT shut down; a second one ends the process at once. SIGHUP reads the token file again, or shuts down too: if there is no
 * such file, or if the process has a terminal, whose end the signal then means.
 */
function handleSignals({ server, services, tokens, log }: Running): void {
  const file = process.stdin.isTTY || process.stderr.isTTY ? undefined : tokens?.file;
  const stop = createSignalListener(async (signal) => {
    log.info({ signal }, 'shutting down');
    // Services and tokens after the last call, which may have used them.
    const parts = [() => server.close(), () => services.close(), () => tokens?.file?.close()];
    const finished = await closeAll(parts, log);
    log.info({ finished }, 'stopped');
    process.exit(finished ? 0 : 1);
  });
  process.on('SIGHUP', (signal) => void (file === undefined ? stop(signal) : file.reload()));
  listenToEndSignals(stop);
}

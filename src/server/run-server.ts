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
import { loadAhead } from './load-ahead.ts';
import { ownVariablesOf, type ServerDefinition } from './server-definition.ts';
import { type OpenServices, openServices } from './services.ts';
import { type RunningServer, startServer } from './start-server.ts';
import { usableUrlOf } from './listening.ts';
import {
  adviseSecret,
  describeStartFailure,
  printOneRunToken,
  tellSignIn,
  warnAboutExposure,
} from './start-messages.ts';

/** Runs the server until a signal ends the process; a start that fails ends it at once, with one message. */
export async function runServer(definition: ServerDefinition, environment: NodeJS.ProcessEnv): Promise<void> {
  try {
    await start(definition, environment);
  } catch (error) {
    process.stderr.write(`${describeStartFailure(error)}\n`);
    process.exit(1);
  }
}

/** Builds the parts and starts them. */
async function start(definition: ServerDefinition, environment: NodeJS.ProcessEnv): Promise<void> {
  const letGoOfSignals = endOnSignals();
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
  const services = await openServices({ services: definition.services ?? [], values: config.own, log });

  const parts = { config, verifier: tokens?.verifier, definition, services, log };
  const server = await startServer(parts).catch(async (error: unknown) => {
    await services.close();
    throw error;
  });
  // Before anybody is told that the server listens: whoever reads that may send a signal.
  surviveSurprises(log);
  handleSignals({ server, services, tokens, log });
  letGoOfSignals();
  const { publicUrl } = config.origin;
  log.info({ url: server.url, publicUrl, auth: enabled, authBecause: config.auth.because }, 'listening');
  warnAboutExposure(config, log);
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

/** The signals that ask for an end. */
const END_SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/**
 * Has a signal during the start end the process, which nobody waits for yet: the first process of a container would never hear of it
 * otherwise, and go on. What is returned puts an end to that.
 */
function endOnSignals(): () => void {
  for (const signal of END_SIGNALS) process.on(signal, endAtOnce);
  return () => {
    for (const signal of END_SIGNALS) process.off(signal, endAtOnce);
  };
}

/** Ends the process, which has served nobody yet. */
function endAtOnce(): never {
  process.exit(0);
}

/** Keeps one request's surprise from ending everybody's streams: it is logged, and the process goes on. */
function surviveSurprises(log: Logger): void {
  process.on('uncaughtException', (error) => log.error({ err: error }, 'uncaught exception'));
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'unhandled rejection'));
}

/** A Ctrl-C reaches the process twice, from the terminal and from npm: within this time it counts once. */
const SAME_SIGNAL_MS = 100;

/** What runs, and is to be ended. */
interface Running {
  readonly server: RunningServer;
  readonly services: OpenServices;
  readonly tokens: OpenTokens | undefined;
  readonly log: Logger;
}

/** SIGTERM and SIGINT shut down, and asked twice, at once. SIGHUP does so too where it means that the terminal was closed; else the tokens are read again. */
function handleSignals({ server, services, tokens, log }: Running): void {
  const file = process.stdin.isTTY || process.stderr.isTTY ? undefined : tokens?.file;
  let askedAtMs: number | undefined;
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    if (askedAtMs !== undefined && performance.now() - askedAtMs < SAME_SIGNAL_MS) return;
    if (askedAtMs !== undefined) process.exit(1);
    askedAtMs = performance.now();
    log.info({ signal }, 'shutting down');
    const finished = await server.close();
    // After the last call: it may have used any of them.
    await services.close();
    await tokens?.file?.close();
    log.info({ finished }, 'stopped');
    process.exit(finished ? 0 : 1);
  };
  process.on('SIGHUP', (signal) => void (file === undefined ? stop(signal) : file.reload()));
  for (const signal of END_SIGNALS) process.on(signal, () => void stop(signal));
}

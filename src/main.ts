/** The HTTP entry: configuration → tokens → server → signals. */
import { openTokens } from './auth/open-tokens.ts';
import { parseConfig, readEnvironment } from './config.ts';
import { createLog } from './log.ts';
import { startServer } from './server.ts';
import { describeStartFailure, printOneRunToken, warnAboutExposure } from './start-messages.ts';
import { tools } from './tools/index.ts';

/** Starts the server and ties it to the process. */
async function main(): Promise<void> {
  const config = parseConfig(readEnvironment(process.env));
  const log = createLog(config.logLevel);
  const { source, allowOneRunToken } = { source: config.auth.tokens, allowOneRunToken: !config.production };
  const tokens = config.auth.enabled ? await openTokens({ source, allowOneRunToken, log }) : undefined;

  const server = await startServer({ config, verifier: tokens?.verifier, tools, log });
  log.info({ url: server.url, publicUrl: config.origin.publicUrl, auth: config.auth.enabled }, 'listening');
  warnAboutExposure(config, log);
  if (tokens?.oneRunToken !== undefined)
    printOneRunToken(tokens.oneRunToken, config.origin.publicUrl ?? server.url);

  process.on('SIGHUP', () => void tokens?.file?.reload());
  let stopping = false;
  /** Ends the process as soon as the server has shut down; asked twice, at once. */
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    if (stopping) process.exit(1);
    stopping = true;
    log.info({ signal }, 'shutting down');
    const finished = await server.close();
    log.info({ finished }, 'stopped');
    process.exit(finished ? 0 : 1);
  };
  process.on('SIGTERM', (signal) => void stop(signal));
  process.on('SIGINT', (signal) => void stop(signal));
}

await main().catch((error: unknown) => {
  process.stderr.write(`${describeStartFailure(error)}\n`);
  process.exit(1);
});

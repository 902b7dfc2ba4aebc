/** What happens to errors that nothing has caught, such as those of a job in the background: they are logged, and the process goes on. */
import type { Logger } from 'pino';

/** Logs errors that nothing has caught, and lets the process go on: one request or job must not end everybody's calls and streams. */
export function surviveSurprises(log: Logger): void {
  process.on('uncaughtException', (error) => log.error({ err: error }, 'uncaught exception'));
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'unhandled rejection'));
}

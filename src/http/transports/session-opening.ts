/** Opens a session in the registry, or refuses in HTTP's words: whose fault it is, and when to come back. */
import {
  type Session,
  type SessionConnection,
  SessionLimitError,
  type SessionOpening,
  type SessionRegistry,
} from '../../sessions/registry.ts';
import { HttpError, shuttingDown } from '../errors.ts';

/**
 * Opens a session.
 * @throws {HttpError} 429 when all that the user may have are in use, 503 when all of the server's are, or it is shutting down
 */
export function openSession<Connection extends SessionConnection>(
  registry: SessionRegistry,
  opening: SessionOpening<Connection>,
): Session<Connection> {
  try {
    return registry.open(opening);
  } catch (error) {
    if (error instanceof SessionLimitError) throw REFUSALS[error.scope](error);
    throw error;
  }
}

const REFUSALS: Record<SessionLimitError['scope'], (cause: SessionLimitError) => HttpError> = {
  user: (cause) =>
    new HttpError(
      429,
      'too_many_sessions',
      'You have too many open sessions, and all of them are in use. Close one.',
      {
        headers: { 'Retry-After': '60' },
        facts: { limit: 'MAX_SESSIONS_PER_USER' },
        cause,
      },
    ),
  server: (cause) =>
    new HttpError(
      503,
      'server_full',
      'This server has too many open sessions, and all of them are in use. Try again later.',
      {
        headers: { 'Retry-After': '30' },
        facts: { limit: 'MAX_SESSIONS' },
        cause,
      },
    ),
  draining: shuttingDown,
};

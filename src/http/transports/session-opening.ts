/** Opens a session in the registry, or refuses with an HTTP status and `Retry-After`; and what the end of a session means for its client. */
import {
  type EndReason,
  type Session,
  type SessionConnection,
  SessionLimitError,
  type SessionOpening,
  type SessionRegistry,
} from '../../sessions/registry.ts';
import { HttpError, sessionNotFound, shuttingDown } from '../errors.ts';
import { unreachable } from './peer-callers.ts';

/**
 * Opens a session.
 * @throws {HttpError} 429 when all sessions of the user are in use; 503 when all of the server are, or it is shutting down
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

/** Whether a session is over in every process. After any other end it may be opened again, here or elsewhere, with its next request. */
export function isOver(reason: EndReason): boolean {
  return reason === 'closed' || reason === 'revoked';
}

/** The answer to a request whose session ended while the request waited for other processes. */
export function endedMeanwhile(reason: EndReason): HttpError {
  return isOver(reason) ? sessionNotFound() : unreachable();
}

/** Opens sessions of Streamable HTTP, and finds the one that a request names: in this process, or by opening one of another process here. */
import type { JSONRPCRequest } from '@modelcontextprotocol/server';
import type { SessionRegistry } from '../../sessions/registry.ts';
import type { SessionIds } from '../../sessions/session-ids.ts';
import { grantOf, type RequestContext, senderOf } from '../context.ts';
import { requireClient, sessionNotFound, shuttingDown } from '../errors.ts';
import type { PeerSessions } from './peer-sessions.ts';
import { unreachable } from './peer-callers.ts';
import { hasSettings, readNotes, spellNotes } from './session-notes.ts';
import { openSession } from './session-opening.ts';
import type { SessionRef } from './session-settings.ts';
import type { SharedByStreams } from './session-streams.ts';
import { StreamableTransport } from './streamable-transport.ts';

/** What is needed to find and open sessions. */
export interface SessionFindingParts extends SharedByStreams {
  readonly registry: SessionRegistry;
  readonly sessionIds: SessionIds;
  readonly peerSessions: PeerSessions;
}

/** The kind of the sessions of this transport. */
const KIND = 'streamable-http';

/**
 * The caller's session with this id: at once where this process has it, else after a check that it has not been ended elsewhere.
 * @throws {HttpError} 404 when the caller has no such session
 */
export function findSession(
  parts: SessionFindingParts,
  ctx: RequestContext,
  id: string,
): StreamableTransport | Promise<StreamableTransport> {
  const here = findHere(parts, ctx, id);
  if (here !== undefined) return here;
  readOpening(parts, ctx, id);
  return reopenSession(parts, ctx, id);
}

/**
 * The notes that the session's id carries.
 * @throws {HttpError} 404 when there is no such session, or it has been ended
 */
function readOpening({ registry, sessionIds }: SessionFindingParts, ctx: RequestContext, id: string): string {
  const notes = sessionIds.read(id, { userId: grantOf(ctx).user.userId, kind: KIND });
  if (notes === undefined) throw registry.isDraining ? shuttingDown() : sessionNotFound();
  return notes;
}

/** The session with this id, if this process has it. */
function findHere(
  { registry }: SessionFindingParts,
  ctx: RequestContext,
  id: string,
): StreamableTransport | undefined {
  const session = registry.find(id, grantOf(ctx).user.userId, KIND);
  if (!(session?.connection instanceof StreamableTransport)) return undefined;
  ctx.state.sessionId = session.id;
  return session.connection;
}

/**
 * Opens a session for an `initialize` request.
 * @throws {HttpError} as {@link openSession} does, and when the client has gone while the record was begun: it would never learn the id
 */
export async function beginSession(
  parts: SessionFindingParts,
  ctx: RequestContext,
  request: JSONRPCRequest,
): Promise<StreamableTransport> {
  const { definition, registry, sessionIds, peerSessions } = parts;
  const { userId } = grantOf(ctx).user;
  const notes = spellNotes(definition, request);
  let id = sessionIds.create({ userId, kind: KIND, notes });
  const isShared = hasSettings(definition) && (await peerSessions.settings.begin({ id, userId }));
  // Where settings cannot be shared, the session gets an id that only this process can serve.
  if (hasSettings(definition) && !isShared) id = sessionIds.create({ userId, kind: KIND, notes: undefined });
  const settings = isShared ? peerSessions.settings : undefined;
  try {
    requireClient(ctx);
    const { connection } = openSession(registry, {
      id,
      userId,
      kind: KIND,
      connect: (session) =>
        new StreamableTransport({ session, shared: parts, settings, client: ctx.state.client }),
    });
    settings?.follow(connection, new Map(), senderOf(ctx, 'streamable-http'));
    ctx.state.sessionId = id;
    return connection;
  } catch (error) {
    settings?.drop({ id, userId });
    throw error;
  }
}

/** Opens a session of another process in this one, from its id. */
async function reopenSession(
  parts: SessionFindingParts,
  ctx: RequestContext,
  id: string,
): Promise<StreamableTransport> {
  const { registry, definition, peerSessions } = parts;
  if (await peerSessions.isEnded(id)) throw sessionNotFound();
  const { userId } = grantOf(ctx).user;
  const set = hasSettings(definition) ? await readSettings(peerSessions, { id, userId }) : undefined;
  // Another request may have opened it meanwhile, or have ended it.
  const here = findHere(parts, ctx, id);
  if (here !== undefined) return here;
  const handshake = readNotes(readOpening(parts, ctx, id));
  ctx.state.sessionId = id;
  const settings = set && peerSessions.settings;
  const { connection } = openSession(registry, {
    id,
    userId,
    kind: KIND,
    connect: (session) => new StreamableTransport({ session, shared: parts, handshake, settings }),
  });
  if (set !== undefined) peerSessions.settings.follow(connection, set, senderOf(ctx, 'streamable-http'));
  return connection;
}

/**
 * What the client of a session has set in other processes.
 * @throws {HttpError} 404 when the record is lost: better no session than one without its settings; 503 when it cannot be read
 */
async function readSettings({ settings }: PeerSessions, ref: SessionRef) {
  try {
    const set = await settings.read(ref);
    if (set !== undefined) return set;
  } catch (error) {
    throw unreachable(error);
  }
  throw sessionNotFound();
}

/** Finds the session of Streamable HTTP that a request names: one of this process, or one that another has opened and this one goes on with. */
import type { SessionRegistry } from '../../sessions/registry.ts';
import type { SessionIds } from '../../sessions/session-ids.ts';
import { grantOf, type RequestContext } from '../context.ts';
import { sessionNotFound, shuttingDown } from '../errors.ts';
import type { PeerSessions } from './peer-sessions.ts';
import { readNotes } from './session-notes.ts';
import { openSession } from './session-opening.ts';
import type { SharedByStreams } from './session-streams.ts';
import { StreamableTransport } from './streamable-transport.ts';

/** What sessions are found with, and opened anew. */
export interface SessionFindingParts extends SharedByStreams {
  readonly registry: SessionRegistry;
  readonly sessionIds: SessionIds;
  readonly peerSessions: PeerSessions;
}

/** What the sessions of this transport are. */
export const KIND = 'streamable-http';

/**
 * The caller's session with this id. One of this process is there at once; of another's, it is asked whether it has been ended.
 * @throws {HttpError} 404 when the caller has no such session
 */
export function findSession(
  parts: SessionFindingParts,
  ctx: RequestContext,
  id: string,
): StreamableTransport | Promise<StreamableTransport> {
  const here = findHere(parts, ctx, id);
  if (here !== undefined) return here;
  const notes = parts.sessionIds.read(id, { userId: grantOf(ctx).user.userId, kind: KIND });
  if (notes === undefined) throw parts.registry.isDraining ? shuttingDown() : sessionNotFound();
  return goOn(parts, ctx, { id, notes });
}

/** The session with this id, where this process has it already. */
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

/** Opens a session anew from its id. */
async function goOn(
  parts: SessionFindingParts,
  ctx: RequestContext,
  { id, notes }: { readonly id: string; readonly notes: string },
): Promise<StreamableTransport> {
  const { registry } = parts;
  if (await parts.peerSessions.isEnded(id)) throw sessionNotFound();
  // Another request may have done it meanwhile.
  const here = findHere(parts, ctx, id);
  if (here !== undefined) return here;
  const handshake = readNotes(notes);
  ctx.state.sessionId = id;
  return openSession(registry, {
    id,
    userId: grantOf(ctx).user.userId,
    kind: KIND,
    connect: (session) => new StreamableTransport({ session, shared: parts, handshake }),
  }).connection;
}

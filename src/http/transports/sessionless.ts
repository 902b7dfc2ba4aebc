/**
 * Serves requests without a session id, from clients that do not send back the one that `initialize` gave them, as claude.ai and ChatGPT
 * at times do: what needs no session is served in a session of its own, which lives as long as the one response.
 */
import { randomUUID } from 'node:crypto';
import { isRequest } from '../../mcp/messages.ts';
import type { SessionRegistry } from '../../sessions/registry.ts';
import { grantOf, type RequestContext } from '../context.ts';
import { writeAnswer } from '../direct-answer.ts';
import type { ParsedBody } from './json-rpc.ts';
import { openSession } from './session-opening.ts';
import type { SharedByStreams } from './session-streams.ts';
import { StreamableTransport } from './streamable-transport.ts';

/** What the requests are served with. */
export interface SessionlessParts extends SharedByStreams {
  readonly registry: SessionRegistry;
}

/** The methods whose answers do not depend on a handshake. */
const METHODS: ReadonlySet<string> = new Set(['ping', 'tools/list', 'tools/call']);

/**
 * Whether nothing in a body needs a session: it has only requests of these methods, and notifications, which have no effect without a
 * session. A batch counts only if `hasBatches`.
 */
export function needsNoSession({ messages, isBatch }: ParsedBody, hasBatches: boolean): boolean {
  if (isBatch && !hasBatches) return false;
  return messages.every(
    ({ message }) => 'method' in message && (!isRequest(message) || METHODS.has(message.method)),
  );
}

/**
 * Serves a body that needs no session.
 * @throws {HttpError} 429 or 503 when there is no room for another session
 */
export function serveWithoutSession(parts: SessionlessParts, ctx: RequestContext, body: ParsedBody): void {
  const { registry } = parts;
  if (!body.messages.some(({ message }) => isRequest(message)))
    return writeAnswer(ctx, 202, { text: '', headers: [] });
  // The session is registered all the same: it counts for the caps, ends with its user's last token, and a shutdown waits for it.
  const session = openSession(registry, {
    id: randomUUID(),
    userId: grantOf(ctx).user.userId,
    kind: 'streamable-http',
    connect: (opened) => new StreamableTransport({ session: opened, shared: parts, isNamed: false }),
  });
  ctx.res.once('close', () => registry.end(session, 'closed'));
  session.connection.handlePost(ctx, body);
}

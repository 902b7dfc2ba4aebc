/**
 * Requests of clients that never send back the session id that `initialize` gave them, as claude.ai and ChatGPT at times do: what needs
 * no session is served as if it stood alone, in a session that lives as long as its one response.
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

/** The methods whose answers depend on nothing that was agreed on before. */
const METHODS: ReadonlySet<string> = new Set(['ping', 'tools/list', 'tools/call']);

/** Whether nothing in a body needs a session: such requests, and notifications, which mean nothing without one. Several only where there are batches. */
export function needsNoSession({ messages, isBatch }: ParsedBody, hasBatches: boolean): boolean {
  if (isBatch && !hasBatches) return false;
  return messages.every(
    ({ message }) => 'method' in message && (!isRequest(message) || METHODS.has(message.method)),
  );
}

/**
 * Serves a body that needs no session.
 * @throws {HttpError} 429 or 503 where there is no room even for a moment
 */
export function serveWithoutSession(parts: SessionlessParts, ctx: RequestContext, body: ParsedBody): void {
  const { registry } = parts;
  if (!body.messages.some(({ message }) => isRequest(message)))
    return writeAnswer(ctx, 202, { text: '', headers: [] });
  // In the registry all the same: it counts, ends with its user's last token, and is waited for at a shutdown.
  const session = openSession(registry, {
    id: randomUUID(),
    userId: grantOf(ctx).user.userId,
    kind: 'streamable-http',
    connect: (opened) => new StreamableTransport({ session: opened, shared: parts, isNamed: false }),
  });
  ctx.res.once('close', () => registry.end(session, 'closed'));
  session.connection.handlePost(ctx, body);
}

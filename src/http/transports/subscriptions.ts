/** Subscriptions of 2026-07-28 (`subscriptions/listen`): each counts as a session of its user, and is registered with the resources it names. */
import { randomUUID } from 'node:crypto';
import { type Changes, createListener } from '../../mcp/changes.ts';
import { STATELESS_REVISION } from '../../mcp/plain-meta.ts';
import type { SessionRegistry } from '../../sessions/registry.ts';
import { grantOf, type RequestContext } from '../context.ts';
import { fieldOf, resourcesOf } from './body-bounds.ts';
import { openSession } from './session-opening.ts';

/** Whether the body asks for a stream of change notifications. */
export function isSubscription(body: unknown): boolean {
  return fieldOf(body, 'method') === 'subscriptions/listen';
}

/** What is needed to hold a subscription. */
export interface SubscriptionParts {
  readonly registry: SessionRegistry;
  readonly changes: Changes;
}

/** The revision of every subscription. */
const STATELESS = { protocolVersion: STATELESS_REVISION } as const;

/**
 * Counts a subscription as one of the user's sessions while its response is open, so that nobody can hold more streams than sessions.
 * @throws {HttpError} 429 or 503 when there is no room for it
 */
export function holdSubscription(
  ctx: RequestContext,
  body: unknown,
  { registry, changes }: SubscriptionParts,
): void {
  const { res } = ctx;
  const { userId } = grantOf(ctx).user;
  const session = openSession(registry, {
    id: randomUUID(),
    userId,
    kind: 'subscription',
    // At a shutdown, the endpoint's drain() ends it with an answer.
    connect: () => ({
      ...STATELESS,
      callsInFlight: 0,
      onEnd: (reason) => void (reason === 'shutdown' || res.end()),
    }),
  });
  const release = session.holdStream();
  const listener = createListener(userId, resourcesOf(fieldOf(body, 'params')).filter(isText));
  changes.join(listener);
  res.once('close', () => {
    changes.leave(listener);
    release();
    registry.end(session, 'closed');
  });
}

/** Whether a value is a string. The SDK refuses subscriptions that name anything else as a resource. */
const isText = (value: unknown): value is string => typeof value === 'string';

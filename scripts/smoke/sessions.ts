/** Checks that sessions end when they should, and that unknown ones are refused with 404, which makes clients start over. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { connectSession, type SessionClient } from './clients.ts';
import { type Answer, ask, type Request, requireJson, type Target } from './http.ts';
import { CheckFailure } from './outcome.ts';
import { noSessionId, PING } from './raw-session.ts';
import type { Passed } from './steps.ts';
import { callTools, type Expectation } from './tools.ts';

const RPC_ERROR = z.looseObject({ error: z.looseObject({ code: z.number(), message: z.string() }) });
const NO_SESSION_ADVICE =
  'Clients start a new session on 404 only. If several instances run, a request may have reached one that does not know the session: run one, or use 2026-07-28.';

/** Checks a session from begin to end: it is opened, used and ended with DELETE, and is gone then. */
export async function checkSession(target: Target, expected: Expectation): Promise<Passed> {
  const client = await connectSession(target);
  const id = requireSessionId(client);
  // callTools closes its client, which here ends the session, too.
  const { detail } = await callTools({ ...client, close: async () => closeSession(client) }, expected);
  await requireGone(target, '/mcp', named(id, target.token));
  return { detail: `${detail}; ended with DELETE, then 404` };
}

/** Checks that a session which nobody has opened gets 404 on both transports. */
export async function checkUnknownSession(target: Target, sseEnabled: boolean): Promise<Passed> {
  const id = randomUUID();
  await requireGone(target, '/mcp', named(id, target.token));
  if (sseEnabled) await requireGone(target, `/messages?sessionId=${id}`, { token: target.token, body: PING });
  return { detail: '404 as a JSON-RPC error' };
}

/** Fails unless the request gets 404 as a JSON-RPC error. */
export async function requireGone(
  target: Target,
  path: string,
  request: Request,
  letInAdvice: string = NO_SESSION_ADVICE,
): Promise<void> {
  const answer: Answer = await ask(target, path, request);
  if (answer.status < 300) {
    const what = `${request.method ?? 'POST'} ${path.split('?')[0] ?? path}`;
    throw new CheckFailure(`${what} is accepted (status ${answer.status}); expected was 404.`, letInAdvice);
  }
  if (answer.status === 400)
    throw new CheckFailure('The status is 400; expected was 404.', NO_SESSION_ADVICE);
  requireJson(answer, [404], RPC_ERROR);
}

/** A ping in a session, by its id. */
export function named(sessionId: string, token: string | undefined) {
  return { token, headers: { 'Mcp-Session-Id': sessionId }, body: PING };
}

/** The id of a client's session; fails when the server gave it none. */
export function requireSessionId(client: SessionClient): string {
  const id = client.sessionId();
  if (id === undefined) throw noSessionId();
  return id;
}

/** Ends a session at the server, and closes its client. */
export async function closeSession(client: SessionClient): Promise<void> {
  await client.endSession();
  await client.close();
}

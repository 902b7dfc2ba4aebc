/** Checks that a session id is no credential: without a credential each request of a session is refused, on both transports. */
import { ask, type Request, type Target, unexpected } from './http.ts';
import { CheckFailure } from './outcome.ts';
import { PING, type RawSession } from './raw-session.ts';
import { CLOSE_IT, requireChallenge, WRONG_TOKEN } from './refusals.ts';
import type { SseStream } from './sse.ts';
import type { Passed } from './steps.ts';

/** Checks a session of Streamable HTTP: POST, GET and DELETE are refused, and the session goes on afterwards. */
export async function checkSessionCredential(target: Target, { headers }: RawSession): Promise<Passed> {
  const requests: readonly Request[] = [
    { headers, body: PING },
    { headers, method: 'GET' },
    { headers, method: 'DELETE' },
    { headers, body: PING, token: WRONG_TOKEN },
  ];
  for (const request of requests) await requireClosed(target, '/mcp', request);
  const answer = await ask(target, '/mcp', { token: target.token, headers, body: PING });
  if (answer.status !== 200) throw unexpected(answer, '200 to the ping of its own user');
  return { detail: '401 to POST, GET and DELETE without a credential and to a wrong token' };
}

/** Checks a session of HTTP+SSE: messages to its stream are refused. */
export async function checkMessagesCredential(target: Target, { endpoint }: SseStream): Promise<Passed> {
  for (const request of [{ body: PING }, { body: PING, token: WRONG_TOKEN }])
    await requireClosed(target, endpoint, request);
  return { detail: '401 to a message without a credential and with a wrong token' };
}

/** Fails when a request of an open session is let in without a valid credential. */
async function requireClosed(target: Target, path: string, request: Request): Promise<void> {
  const answer = await ask(target, path, request);
  const what = `${request.method ?? 'POST'} ${path.split('?')[0] ?? path}`;
  if (answer.status < 400 || answer.status === 404)
    throw new CheckFailure(
      `OPEN: after the handshake ${what} needs no valid credential (status ${answer.status}): anybody who learns a session's id can act as its user.`,
      `Does a proxy add the credential of the handshake to later requests? ${CLOSE_IT}`,
    );
  requireChallenge(answer, what);
}

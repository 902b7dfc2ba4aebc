/** Steps 5, 7 and 8: sessions end when they should, unknown ones are refused, and nobody gets at another user's. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { connectSession, type SessionClient } from './clients.ts';
import { type Answer, ask, type Request, requireJson, type Target } from './http.ts';
import { CheckFailure, NotApplicable } from './outcome.ts';
import { openSse } from './sse.ts';
import type { Passed } from './steps.ts';
import { callTools, type Expectation, type Round, whoAmI } from './tools.ts';

const RPC_ERROR = z.looseObject({ error: z.looseObject({ code: z.number(), message: z.string() }) });
const PING = { jsonrpc: '2.0', id: 1, method: 'ping' };
const NO_SESSION_ADVICE =
  'Clients start over on 404 only. If several instances run, a request may have reached one that does not know the session: run one, or use 2026-07-28.';

/** A session: opened, used, ended with DELETE, and gone then. */
export async function checkSession(target: Target, expected: Expectation): Promise<Round> {
  const client = await connectSession(target);
  const id = requireSessionId(client);
  // callTools closes its client; here that means the end of the session too.
  const round = await callTools({ ...client, close: async () => closeSession(client) }, expected);
  await requireGone(target, '/mcp', named(id, target.token));
  return { ...round, detail: `${round.detail}; ended with DELETE, then 404` };
}

/** A session that nobody has opened gets 404 on both transports. */
export async function checkUnknownSession(target: Target, sseEnabled: boolean): Promise<Passed> {
  const id = randomUUID();
  await requireGone(target, '/mcp', named(id, target.token));
  if (sseEnabled) await requireGone(target, `/messages?sessionId=${id}`, { token: target.token, body: PING });
  return { detail: '404 as a JSON-RPC error' };
}

/** With two tokens: each call runs as its own user, and neither can use the other's session. */
export async function checkTwoUsers(
  target: Target,
  token2: string | undefined,
  { names, sseEnabled }: { readonly names: readonly string[]; readonly sseEnabled: boolean },
): Promise<Passed> {
  if (token2 === undefined) throw new NotApplicable('no --token2 was given');
  if (!names.includes('whoami')) throw new NotApplicable('there is no tool whoami to tell users by');
  const targets = [target, { ...target, token: token2 }] as const;
  const clients: SessionClient[] = [];
  try {
    for (const one of targets) clients.push(await connectSession(one));
    const [first, second] = await Promise.all(clients.map((client) => whoAmI(client)));
    if (first === second)
      throw new CheckFailure(
        `Both tokens are ${first}'s.`,
        'Give tokens of two users; or else the server mixes up its callers.',
      );
    for (const [index, client] of clients.entries()) {
      const intruder = targets[1 - index];
      await refuseIntruder(target, client, intruder?.token);
    }
    if (sseEnabled)
      for (const [index, one] of targets.entries()) await refuseOnSse(one, targets[1 - index]?.token);
    return { detail: `${first} and ${second}, each with a session that is closed to the other` };
  } finally {
    await Promise.allSettled(clients.map(closeSession));
  }
}

/** Somebody else's session looks like one that does not exist, and goes on afterwards. */
async function refuseIntruder(
  target: Target,
  client: SessionClient,
  intruder: string | undefined,
): Promise<void> {
  const { headers } = named(requireSessionId(client), intruder);
  await requireGone(target, '/mcp', { token: intruder, headers, body: PING }, INTRUDED);
  await requireGone(target, '/mcp', { method: 'GET', token: intruder, headers }, INTRUDED);
  await requireGone(target, '/mcp', { method: 'DELETE', token: intruder, headers }, INTRUDED);
  await client.listTools();
}

/** The same with a stream of the older transport. */
async function refuseOnSse(target: Target, intruder: string | undefined): Promise<void> {
  const { reader, endpoint } = await openSse(target);
  try {
    await requireGone(target, endpoint, { token: intruder, body: PING }, INTRUDED);
  } finally {
    reader.close();
  }
}

const INTRUDED = 'One user can use the session of another: take the deployment offline until this is mended.';

/** The request gets 404 as a JSON-RPC error. */
async function requireGone(
  target: Target,
  path: string,
  request: Request,
  letInAdvice: string = NO_SESSION_ADVICE,
): Promise<void> {
  const answer: Answer = await ask(target, path, request);
  if (answer.status < 300) {
    const what = `${request.method ?? 'POST'} ${path.split('?')[0] ?? path}`;
    throw new CheckFailure(
      `${what} is let in (status ${answer.status}), where 404 should come.`,
      letInAdvice,
    );
  }
  if (answer.status === 400) throw new CheckFailure('Status 400 came where 404 should.', NO_SESSION_ADVICE);
  requireJson(answer, [404], RPC_ERROR);
}

/** A request in a session. */
function named(sessionId: string, token: string | undefined) {
  return { token, headers: { 'Mcp-Session-Id': sessionId }, body: PING };
}

/** The id of a client's session. */
function requireSessionId(client: SessionClient): string {
  const id = client.sessionId();
  if (id !== undefined) return id;
  const advice = 'A proxy may strip the header Mcp-Session-Id from answers: let it through.';
  throw new CheckFailure('initialize was answered without a session id.', advice);
}

/** Ends a session and its client. */
async function closeSession(client: SessionClient): Promise<void> {
  await client.endSession();
  await client.close();
}

/** Checks with two tokens that the server tells their users apart, and that neither user can use the other's session. */
import { connectSession, type SessionClient } from './clients.ts';
import { ask, type Target, unexpected } from './http.ts';
import { askWho, type User } from './identity.ts';
import { CheckFailure } from './outcome.ts';
import { PING } from './raw-session.ts';
import { closeSession, named, requireGone, requireSessionId } from './sessions.ts';
import { openSse } from './sse.ts';
import type { Passed } from './steps.ts';
import { callTellers, type Expectation, tellsOf } from './tools.ts';

const APART =
  'Give the tokens of two different users. If you did, something in front of the server gives all requests the credential of one, or the server confuses its callers: take the deployment offline until this is fixed.';
const INTRUDED = 'One user can use the session of another: take the deployment offline until this is fixed.';

/** Checks both users, on both transports. */
export async function checkTwoUsers(
  target: Target,
  token2: string | undefined,
  { expected, sseEnabled }: { readonly expected: Expectation; readonly sseEnabled: boolean },
): Promise<Passed> {
  const targets = [target, { ...target, token: token2 }] as const;
  const users = [expected.user, await askWho(targets[1])] as const;
  if (users[0].userId === users[1].userId)
    throw new CheckFailure(`Both tokens belong to ${users[0].userId}.`, APART);
  const clients: SessionClient[] = [];
  try {
    for (const one of targets) clients.push(await connectSession(one));
    for (const [index, client] of clients.entries()) {
      const [own, other] = index === 0 ? users : [users[1], users[0]];
      if (expected.names.length > 0) await requireOwn(client, own, other);
      await refuseIntruder(targets[index] ?? target, client, targets[1 - index]?.token);
    }
    if (sseEnabled)
      for (const [index, one] of targets.entries()) await refuseOnSse(one, targets[1 - index]?.token);
    const ids = users.map(({ userId }) => userId).join(' and ');
    return { detail: `${ids}, neither can use the session of the other` };
  } finally {
    await Promise.allSettled(clients.map(closeSession));
  }
}

/** Fails when a tool answers one user as if the other had called. */
async function requireOwn(client: SessionClient, own: User, other: User): Promise<void> {
  const { tools } = await client.listTools();
  for (const { name, text } of await callTellers(client, tools)) {
    if (tellsOf(text, other) && !tellsOf(text, own))
      throw new CheckFailure(`Calls of ${own.userId} run as ${other.userId}: ${name} says so.`, APART);
  }
}

/** Checks that somebody else's session looks like one that does not exist, and that the session goes on afterwards. */
async function refuseIntruder(
  target: Target,
  client: SessionClient,
  intruder: string | undefined,
): Promise<void> {
  const id = requireSessionId(client);
  const { headers } = named(id, intruder);
  await requireGone(target, '/mcp', { token: intruder, headers, body: PING }, INTRUDED);
  await requireGone(target, '/mcp', { method: 'GET', token: intruder, headers }, INTRUDED);
  await requireGone(target, '/mcp', { method: 'DELETE', token: intruder, headers }, INTRUDED);
  const answer = await ask(target, '/mcp', named(id, target.token));
  if (answer.status !== 200) throw unexpected(answer, "200 to the session's own user");
}

/** Checks the same for a stream of HTTP+SSE. */
async function refuseOnSse(target: Target, intruder: string | undefined): Promise<void> {
  const { reader, endpoint } = await openSse(target);
  try {
    await requireGone(target, endpoint, { token: intruder, body: PING }, INTRUDED);
  } finally {
    reader.close();
  }
}

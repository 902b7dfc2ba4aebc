/** Checks which user the server takes the caller for, as `GET /tools` says, and that no other caller is given that answer. */
import { z } from 'zod';
import { type Answer, ask, codeOf, requireJson, type Target } from './http.ts';
import { CheckFailure } from './outcome.ts';
import { CLOSE_IT, requireChallenge } from './refusals.ts';
import type { Passed } from './steps.ts';

/** A user as the server names it. */
export interface User {
  readonly userId: string;
  readonly name: string;
}

/** The tools that the token opens, and the user of the token. */
export interface ToolList extends Passed {
  readonly names: readonly string[];
  readonly user: User;
}

const TOOLS = z.looseObject({
  tools: z.array(z.looseObject({ name: z.string() })),
  user: z.looseObject({ userId: z.string(), name: z.string() }),
});

/** Asks `GET /tools` with the token. */
export async function listTools(target: Target, authEnabled: boolean): Promise<ToolList> {
  if (authEnabled && target.token === undefined) {
    const advice = 'Pass --token or set SMOKE_TOKEN: without a token, only refusals can be checked.';
    throw new CheckFailure('The server asks for a token, and none was given.', advice);
  }
  const answer = await ask(target, '/tools', { token: target.token });
  if (target.token !== undefined && codeOf(answer) === 'unauthorized') await explainStripped(target);
  const { tools, user } = requireJson(answer, [200], TOOLS);
  const names = tools.map(({ name }) => name);
  return { detail: names.join(', ') || 'none for this user', names, user };
}

/** Explains why a token that was sent did not arrive: tries `x-api-key`, and says what to change or to use until then. */
async function explainStripped({ token = '', ...target }: Target): Promise<never> {
  const byKey = await ask({ ...target, token: undefined }, '/tools', { headers: { 'x-api-key': token } });
  const [outcome, way] =
    byKey.status === 200
      ? ['The same token as x-api-key is accepted.', ' Until then, clients can send x-api-key: TOKEN.']
      : ['As x-api-key it does not arrive either.', ''];
  throw new CheckFailure(
    `The token does not reach the server: something on the way removes the Authorization header. ${outcome}`,
    `Have the proxy pass the header on (nginx: proxy_set_header Authorization $http_authorization; Apache: CGIPassAuth On; a login of the host's own in front: switch it off).${way}`,
  );
}

/** Compares the user of the token with the expected one. */
export async function checkIdentity({ userId, name }: User, expected: string | undefined): Promise<Passed> {
  if (expected !== undefined && userId !== expected)
    throw new CheckFailure(
      `Wrong user: the token belongs to ${userId}, not to ${expected}.`,
      'The token belongs to another user than you think, or something in front of the server gives all requests the same credential: look the token up in the token file, and run this with --token2.',
    );
  return {
    detail: `${userId} (${name})${expected === undefined ? '; --expect-user says who it must be' : ''}`,
  };
}

/** Asks for the user of a token. */
export async function askWho(target: Target): Promise<User> {
  return requireJson(await ask(target, '/tools', { token: target.token }), [200], TOOLS).user;
}

/** Checks that no cache gives one caller's answer to another: asks with the token, without it, and with it again. */
export async function checkCache(target: Target): Promise<Passed> {
  await askWho(target);
  const stranger = await ask(target, '/tools');
  if (stranger.status === 200)
    throw new CheckFailure(
      `OPEN: a cache gives one user's answer to everybody who asks for the same address${ageOf(stranger)}.`,
      `It caches answers that are marked no-store: switch caching off for this server, or at least for /tools, /mcp, /sse and /messages. If there is no cache: ${CLOSE_IT}`,
    );
  requireChallenge(stranger, '/tools');
  await askWho(target);
  return { detail: 'GET /tools is answered anew for each caller' };
}

/** The age that a cache gives for its answer, in words; empty when it gives none. */
function ageOf({ headers }: Answer): string {
  const age = headers.get('age');
  return age === null ? '' : ` (it is ${age} s old)`;
}

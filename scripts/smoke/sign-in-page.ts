/** Signs in on the page as a person does, and uses the tokens as a client does: a call, a refresh, and a revocation. */
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { type Answer, ask, codeOf, parseJson, requireJson, type Target, unexpected } from './http.ts';
import { CheckFailure } from './outcome.ts';
import {
  adviceOn,
  askAt,
  CALLBACK,
  type Discovered,
  FOREIGN,
  openRedirect,
  type Registered,
} from './sign-in.ts';
import type { Passed } from './steps.ts';

/** An authorization code, and the PKCE verifier that it takes to exchange it. */
export interface Allowed extends Passed {
  readonly code: string;
  readonly verifier: string;
}

const TOKENS = z.looseObject({
  access_token: z.string(),
  token_type: z.string(),
  refresh_token: z.string().optional(),
});
const WHO = z.looseObject({ user: z.looseObject({ userId: z.string() }) });

/** Checks that the page accepts the token and sends the user back to the client, and to no other address. */
export async function signInOnPage(
  target: Target,
  { authorize, issuer }: Discovered,
  { clientId }: Registered,
): Promise<Allowed> {
  const verifier = randomBytes(32).toString('base64url');
  const state = randomBytes(8).toString('hex');
  const parameters = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: CALLBACK,
    state,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    resource: `${issuer}/mcp`,
  };
  const open = async (more: object): Promise<Answer> =>
    askAt(target, `${authorize}?${new URLSearchParams({ ...parameters, ...more }).toString()}`, {
      headers: { Accept: 'text/html' },
    });
  const foreign = await open({ redirect_uri: FOREIGN });
  if (foreign.status !== 400 || foreign.headers.has('location')) throw openRedirect(foreign);
  const page = await open({});
  const ticket = /name="ticket" value="([^"]+)"/.exec(page.text)?.[1];
  if (page.status !== 200 || ticket === undefined) throw unexpected(page, '200 with the sign-in page');
  requirePolicy(page);
  const form = { ticket, token: target.token ?? '', action: 'allow' };
  const headers = { Accept: 'text/html', Origin: new URL(issuer).origin, 'Sec-Fetch-Site': 'same-origin' };
  const allowed = await askAt(target, authorize, { form, headers });
  const location = allowed.headers.get('location');
  if (allowed.status !== 303 || location === null) throw unexpected(allowed, '303 back to the client');
  const back = URL.canParse(location) ? new URL(location) : undefined;
  if (back === undefined || `${back.origin}${back.pathname}` !== CALLBACK)
    throw new CheckFailure(
      'The page sends the user to another address than the client asked for.',
      'A proxy rewrites the Location header: have it pass that on unchanged (nginx: proxy_redirect off).',
    );
  const { searchParams } = back;
  if (searchParams.get('state') !== state || searchParams.get('iss') !== issuer)
    throw new CheckFailure(
      `The redirect to the client does not repeat the state, or names another issuer than ${issuer}.`,
      adviceOn(target, searchParams.get('iss')),
    );
  return {
    detail: 'it takes the token, and leads back only to the client',
    code: searchParams.get('code') ?? '',
    verifier,
  };
}

/** Checks that the code can be exchanged for tokens that work, can be refreshed, and end when they are revoked. */
export async function useSignIn(
  target: Target,
  { token, revoke }: Discovered,
  { clientId, code, verifier }: Registered & Allowed,
): Promise<Passed> {
  const exchange = async (proof: string): Promise<Answer> =>
    askAt(target, token, {
      form: {
        grant_type: 'authorization_code',
        code,
        client_id: clientId,
        redirect_uri: CALLBACK,
        code_verifier: proof,
      },
    });
  const guessed = await exchange(randomBytes(32).toString('base64url'));
  if (guessed.status !== 400 || codeOf(guessed) !== 'invalid_grant')
    throw new CheckFailure(
      `A code without its verifier is answered ${guessed.status}.`,
      'Anybody who sees the code could use it. If another server answers at /token, correct the proxy; otherwise report this.',
    );
  const tokens = requireTokens(await exchange(verifier));
  const own = await whoIs(target, target.token);
  const derived = await whoIs(target, tokens.access_token);
  if (own !== derived)
    throw new CheckFailure(
      'The token of the sign-in belongs to another user than the token that was pasted.',
      'A proxy adds a credential of its own to requests: have it pass on Authorization unchanged.',
    );
  const { refresh_token: refreshToken } = tokens;
  let last = tokens;
  if (refreshToken !== undefined) {
    const form = { grant_type: 'refresh_token', refresh_token: refreshToken, client_id: clientId };
    last = requireTokens(await askAt(target, token, { form }));
    await whoIs(target, last.access_token);
  }
  if (revoke !== undefined) {
    const form = { token: last.refresh_token ?? last.access_token, client_id: clientId };
    const revoked = await askAt(target, revoke, { form });
    if (revoked.status !== 200) throw unexpected(revoked, '200');
    const after = await askUntilRefused(target, last.access_token);
    if (after.status !== 401)
      throw new CheckFailure(
        `A revoked token is answered ${after.status}.`,
        'A cache answers in place of the server, or there are several instances that do not tell each other what a client has ended: set the same REDIS_URL at each.',
      );
  }
  return {
    detail: `as ${derived}: called, ${refreshToken === undefined ? 'not refreshed (OAUTH_REFRESH_SECONDS=0)' : 'refreshed'}, ended`,
  };
}

/** The answer to a revoked token, after several refusals in a row or when the time is up: instances learn of a revocation from each other. */
async function askUntilRefused(target: Target, token: string): Promise<Answer> {
  const endMs = performance.now() + TOLD_WITHIN_MS;
  for (let refusals = 0; ;) {
    const answer = await ask(target, '/tools', { token });
    refusals = answer.status === 401 ? refusals + 1 : 0;
    if (refusals === REFUSALS_IN_TURN) return answer;
    if (refusals === 0 && performance.now() >= endMs) return answer;
    if (refusals === 0) await delay(100);
  }
}

/** How soon every instance must know of a revocation. Milliseconds. */
const TOLD_WITHIN_MS = 1_000;

/** How many refusals in a row are wanted: a balancer picks instances in turn, or at random. */
const REFUSALS_IN_TURN = 6;

/** The tokens of an answer, which no cache on the way may store. */
function requireTokens(answer: Answer): z.infer<typeof TOKENS> {
  const tokens = requireJson(answer, [200], TOKENS);
  if (/\bno-store\b/.test(answer.headers.get('cache-control') ?? '')) return tokens;
  throw new CheckFailure(
    'The tokens come without Cache-Control: no-store.',
    'A proxy changes Cache-Control: have it pass that on unchanged, or a cache may keep tokens.',
  );
}

/** The user of a token, as the server says. */
async function whoIs(target: Target, token: string | undefined): Promise<string> {
  const answer = await ask(target, '/tools', { token });
  const who = answer.status === 200 ? parseJson(answer, WHO) : undefined;
  if (who === undefined) throw unexpected(answer, '200 with the user of the token');
  return who.user.userId;
}

/** Fails when the page's headers let others frame it, or keep browsers from sending the form. */
function requirePolicy({ headers }: Answer): void {
  const policy = headers.get('content-security-policy') ?? '';
  if (!policy.includes("frame-ancestors 'none'") && headers.get('x-frame-options') !== 'DENY')
    throw new CheckFailure(
      'The sign-in page may be framed by other pages.',
      'A proxy removes Content-Security-Policy: have it pass that on.',
    );
  if (policy.includes('form-action') || headers.get('referrer-policy') === 'no-referrer')
    throw new CheckFailure(
      'Browsers will not send the form, or will not follow the redirect to the client.',
      'A proxy adds headers of its own (form-action in Content-Security-Policy, Referrer-Policy: no-referrer): leave those of the server.',
    );
}

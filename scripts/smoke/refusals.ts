/** Checks that callers without a valid credential are refused, with an answer that clients understand. */
import { z } from 'zod';
import {
  type Answer,
  ask,
  codeOf,
  explanationOf,
  type Request,
  requireJson,
  type Target,
  unexpected,
} from './http.ts';
import { CheckFailure } from './outcome.ts';
import type { Face } from './reachability.ts';
import type { Passed } from './steps.ts';

/** A token that no server knows. */
export const WRONG_TOKEN = 'smoke-test-wrong-token';
export const CLOSE_IT =
  'Set AUTH_ENABLED=true and tokens (AUTH_TOKENS or TOKENS_FILE), or remove ALLOW_PUBLIC_WITHOUT_AUTH. If the server is meant to be open, use --allow-open.';

/** Checks that every protected route answers a request without a credential with a challenge that has no error code. */
export async function checkNoCredential(target: Target, face: Face): Promise<Passed> {
  const routes = protectedRoutes(face);
  for (const [path, request] of routes) {
    const challenge = requireChallenge(await ask(target, path, request), path);
    // RFC 6750, section 3.1.
    if (challenge.includes('error=')) throw badChallenge(path, challenge, 'no error code (RFC 6750, 3.1)');
  }
  return { detail: `401 with a challenge on ${routes.map(([path]) => path.split('?')[0]).join(', ')}` };
}

/** Checks that a wrong token gets 401 with `invalid_token` on every protected route. */
export async function checkWrongCredential(target: Target, face: Face): Promise<Passed> {
  for (const [path, request] of protectedRoutes(face)) {
    const answer = await ask(target, path, { ...request, token: WRONG_TOKEN });
    const challenge = requireChallenge(answer, path);
    if (!challenge.includes('error="invalid_token"'))
      throw badChallenge(path, challenge, 'error="invalid_token"');
  }
  return { detail: '401 with error="invalid_token"' };
}

const REFUSAL = z.looseObject({ error: z.string(), error_description: z.string() });
const DISCOVERY = [
  '/.well-known/oauth-protected-resource',
  '/.well-known/oauth-protected-resource/mcp',
  '/.well-known/oauth-authorization-server',
  '/.well-known/openid-configuration',
];

/**
 * Checks that the paths where clients look for OAuth answer with JSON, and with 404 where users cannot sign in: clients show anything
 * else to their users as an error.
 */
export async function checkDiscovery(target: Target, { canSignIn }: Face): Promise<Passed> {
  if (canSignIn) {
    for (const path of DISCOVERY) requireJson(await ask(target, path), [200, 404], z.looseObject({}));
    return { detail: `JSON on ${DISCOVERY.length} documents; users can sign in` };
  }
  for (const path of DISCOVERY) requireJson(await ask(target, path), [404], REFUSAL);
  const body = { client_name: 'smoke test', redirect_uris: [] };
  requireJson(await ask(target, '/register', { body }), [404], REFUSAL);
  return { detail: `JSON 404 on ${DISCOVERY.length} documents and /register` };
}

/** The protected routes, each with a request that changes nothing even where it is let in. */
export function protectedRoutes({ sseEnabled }: Face): (readonly [path: string, request: Request])[] {
  const ping = { body: { jsonrpc: '2.0', id: 1, method: 'ping' } };
  const routes: (readonly [string, Request])[] = [
    ['/tools', {}],
    ['/mcp', ping],
  ];
  if (sseEnabled) routes.push(['/sse', {}], ['/messages?sessionId=none', ping]);
  return routes;
}

/** The challenge of a 401. Any other answer is a failure; the worst is a caller who was let in. */
export function requireChallenge(answer: Answer, path: string): string {
  const wasLetIn = answer.status < 300 || (answer.status < 500 && isPastTheGate(answer));
  if (wasLetIn)
    throw new CheckFailure(
      `OPEN: ${path} accepts callers without a valid credential (status ${answer.status}).`,
      CLOSE_IT,
    );
  const challenge = answer.headers.get('www-authenticate');
  if (answer.status !== 401) throw unexpected(answer, '401');
  if (challenge?.startsWith('Bearer') !== true) {
    const advice =
      'A proxy in front may ask for a login of its own, or strip the header: clients need "WWW-Authenticate: Bearer".';
    throw new CheckFailure(`${path} answers 401 without a Bearer challenge.`, advice);
  }
  if (['unauthorized', 'invalid_token'].includes(codeOf(answer) ?? '')) return challenge;
  const advice =
    'A proxy replaces error answers by its own page, so nobody reads what is wrong with the token: let them through (nginx: proxy_intercept_errors off).';
  throw new CheckFailure(`The body of the 401 on ${path} does not come from this server.`, advice);
}

/** Whether a refusal comes from behind the credential check: it is about a session, not about the credential. */
function isPastTheGate(answer: Answer): boolean {
  return (answer.status === 400 || answer.status === 404) && /session/i.test(explanationOf(answer) ?? '');
}

/** The failure of a challenge that misleads clients. */
function badChallenge(path: string, challenge: string, expected: string): CheckFailure {
  const advice =
    'Clients decide by the error code what to do next. Does a proxy answer in place of the server?';
  return new CheckFailure(`${path} challenges with ${challenge}; expected was ${expected}.`, advice);
}

/** Step 2: whoever has no valid credential stays outside, with an answer that clients understand. */
import { z } from 'zod';
import {
  type Answer,
  ask,
  explanationOf,
  type Request,
  requireJson,
  type Target,
  unexpected,
} from './http.ts';
import { CheckFailure, NotApplicable } from './outcome.ts';
import { isLocal } from './options.ts';
import type { Face } from './reachability.ts';
import type { Passed } from './steps.ts';

/** Whether an open server is what is meant. */
export interface Openness {
  readonly allowOpen: boolean;
}

/** A token that no server knows. */
const WRONG_TOKEN = 'smoke-test-wrong-token';
const CLOSE_IT =
  'Set AUTH_ENABLED=true and tokens (AUTH_TOKENS or TOKENS_FILE), or remove ALLOW_PUBLIC_WITHOUT_AUTH. If it is meant to be open, say --allow-open.';

/** Every protected route answers a request without a credential with a bare challenge. */
export async function checkNoCredential(
  target: Target,
  face: Face,
  { allowOpen }: Openness,
): Promise<Passed> {
  const isMeantOpen = allowOpen || (isLocal(target.url) && target.token === undefined);
  if (!face.authEnabled && isMeantOpen) throw authOff();
  const routes = protectedRoutes(face);
  for (const [path, request] of routes) {
    const challenge = requireChallenge(await ask(target, path, request), path);
    if (challenge.includes('error=')) throw badChallenge(path, challenge, 'no error code (RFC 6750, 3.1)');
  }
  return { detail: `401 with a challenge on ${routes.map(([path]) => path.split('?')[0]).join(', ')}` };
}

/** A wrong token gets 401 with `invalid_token` and words. */
export async function checkWrongCredential(target: Target, face: Face): Promise<Passed> {
  if (!face.authEnabled) throw authOff();
  for (const [path, request] of protectedRoutes(face)) {
    const answer = await ask(target, path, { ...request, token: WRONG_TOKEN });
    const challenge = requireChallenge(answer, path);
    if (!challenge.includes('error="invalid_token"'))
      throw badChallenge(path, challenge, 'error="invalid_token"');
  }
  return { detail: '401 with error="invalid_token"' };
}

/**
 * A token in the query string is not looked at: that is where logs and histories find it. Tried with a wrong one, so that
 * no real one gets there: a server that looks calls it invalid instead of missing.
 */
export async function checkQueryCredential(target: Target, face: Face): Promise<Passed> {
  if (!face.authEnabled) throw authOff();
  for (const name of ['token', 'access_token', 'api_key']) {
    const challenge = requireChallenge(
      await ask(target, `/tools?${name}=${WRONG_TOKEN}`),
      `/tools?${name}=…`,
    );
    if (challenge.includes('error=')) {
      const advice = 'Take tokens from headers only: addresses end up in the logs of every proxy on the way.';
      throw new CheckFailure(`The server reads a credential from the query string (${name}).`, advice);
    }
  }
  return { detail: 'token, access_token and api_key are not looked at' };
}

const REFUSAL = z.looseObject({ error: z.string(), error_description: z.string() });
const DISCOVERY = [
  '/.well-known/oauth-protected-resource',
  '/.well-known/oauth-protected-resource/mcp',
  '/.well-known/oauth-authorization-server',
  '/.well-known/openid-configuration',
];

/** The paths where clients look for OAuth answer 404 with JSON: whatever else is there is shown to users as an error. */
export async function checkDiscovery(target: Target): Promise<Passed> {
  for (const path of DISCOVERY) requireJson(await ask(target, path), [404], REFUSAL);
  const body = { client_name: 'smoke test', redirect_uris: [] };
  requireJson(await ask(target, '/register', { body }), [404], REFUSAL);
  return { detail: `JSON 404 on ${DISCOVERY.length} documents and /register` };
}

/** The protected routes and a request that changes nothing on each, even where it is let in. */
function protectedRoutes({ sseEnabled }: Face): (readonly [path: string, request: Request])[] {
  const ping = { body: { jsonrpc: '2.0', id: 1, method: 'ping' } };
  const routes: (readonly [string, Request])[] = [
    ['/tools', {}],
    ['/mcp', ping],
  ];
  if (sseEnabled) routes.push(['/sse', {}], ['/messages?sessionId=none', ping]);
  return routes;
}

/** The challenge of a 401; anything else is a failure, and worst of all an open door. */
function requireChallenge(answer: Answer, path: string): string {
  const wasLetIn = answer.status < 300 || (answer.status < 500 && isPastTheGate(answer));
  if (wasLetIn)
    throw new CheckFailure(
      `OPEN: ${path} lets in callers without a valid credential (status ${answer.status}).`,
      CLOSE_IT,
    );
  const challenge = answer.headers.get('www-authenticate');
  if (answer.status !== 401) throw unexpected(answer, '401');
  if (challenge?.startsWith('Bearer') === true) return challenge;
  const advice =
    'A proxy in front may ask for a login of its own, or strip the header: clients need "WWW-Authenticate: Bearer".';
  throw new CheckFailure(`${path} answers 401 without a Bearer challenge.`, advice);
}

/** Whether a refusal comes from behind the gate: it is about a session, not about the credential. */
function isPastTheGate(answer: Answer): boolean {
  return (answer.status === 400 || answer.status === 404) && /session/i.test(explanationOf(answer) ?? '');
}

/** A challenge that misleads clients. */
function badChallenge(path: string, challenge: string, expected: string): CheckFailure {
  const advice =
    'Clients decide by the error code what to do next. Does a proxy answer in place of the server?';
  return new CheckFailure(`${path} challenges with ${challenge}; expected was ${expected}.`, advice);
}

/** The reason to skip what is about credentials. */
export function authOff(): NotApplicable {
  return new NotApplicable('authentication is off');
}

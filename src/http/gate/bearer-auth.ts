/** The credential check in front of every route that is not public (RFC 6750). */
import type { Authentication, Authenticator, Refusal } from '../../auth/authenticate.ts';
import { clientAddressOf } from '../client-address.ts';
import type { RequestContext, Step } from '../context.ts';
import { HttpError, type RefusalFacts, requireClient } from '../errors.ts';
import { type CountFailure, networkOf } from './rate-limit.ts';

/** Makes more parameters of a challenge, each with a comma before it: where the client learns how to sign in, and the scopes to ask for; by default all. */
export type DescribeEntrance = (ctx: RequestContext, scopes?: readonly string[]) => string;

/** Makes the step that lets requests through with their grants, or answers 401 with a challenge. */
export function requireBearer(
  authenticator: Authenticator,
  countFailure: CountFailure,
  describeEntrance: DescribeEntrance = () => '',
): Step {
  const challengeOf = createChallenges();
  const refuse = (ctx: RequestContext, refusal: Refusal): never => {
    countRefusal(ctx, refusal, countFailure);
    throw challengeOf(refusal, describeEntrance(ctx));
  };
  const admit = (ctx: RequestContext, authentication: Authentication, next: () => unknown): unknown => {
    if (!authentication.ok) return refuse(ctx, authentication.refusal);
    ctx.state.grant = authentication.grant;
    return next();
  };
  return (ctx, next) => {
    const authentication = authenticateRequest(ctx, authenticator);
    if (!(authentication instanceof Promise)) return admit(ctx, authentication, next);
    return authentication.then((found) => {
      requireClient(ctx);
      return admit(ctx, found, next);
    });
  };
}

/** Authenticates a request by its headers. Its network is found out only for verifiers that need it. */
export function authenticateRequest(
  ctx: RequestContext,
  authenticator: Authenticator,
): Authentication | Promise<Authentication> {
  return authenticator.authenticate(ctx.req.headers, () => networkOf(clientAddressOf(ctx)));
}

/**
 * Counts a refused credential, on every route that judges one, so that guessing is limited everywhere. To be called after the look-up, so
 * that a valid token from the same address always passes: a classroom behind one NAT.
 * @throws {HttpError} 429 above the limit; 503, without counting, when the credential cannot be verified at the moment
 */
export function countRefusal(ctx: RequestContext, refusal: Refusal, countFailure: CountFailure): void {
  requireVerdict(refusal);
  if (refusal.reason !== 'missing') countFailure(clientAddressOf(ctx), refusal.fingerprint);
}

/** Answers 503 when a credential cannot be verified at the moment: on a 401 clients would throw it away. */
function requireVerdict({ reason, description, retryAfterSeconds = 5 }: Refusal): void {
  if (reason !== 'unavailable') return;
  throw new HttpError(503, 'temporarily_unavailable', description, {
    headers: { 'Retry-After': String(retryAfterSeconds) },
    facts: { reason },
  });
}

const REALM = 'Bearer realm="mcp"';

/** How many challenges are kept; beyond that all are dropped and made again, as they may contain the request's Host. */
const MAX_CHALLENGES = 100;

/** Makes the 401 of refusals. One that concerns no known token is made once and reused, so that guessing costs the server less. */
function createChallenges(): typeof challenge {
  const kept = new Map<string, HttpError>();
  return (refusal, entrance) => {
    if (refusal.grant !== undefined || refusal.since !== undefined) return challenge(refusal, entrance);
    const key = `${refusal.reason} ${refusal.description} ${entrance}`;
    const known = kept.get(key);
    if (known !== undefined) return known;
    if (kept.size >= MAX_CHALLENGES) kept.clear();
    const made = challenge(refusal, entrance);
    kept.set(key, made);
    return made;
  };
}

/** What the log says of a refused credential: why, and whose it is or was, if known. */
export function factsOf({ reason, grant, since }: Refusal): RefusalFacts {
  return { reason, userId: grant?.user.userId, tokenId: grant?.tokenId, since };
}

/** The 401 of a refusal. Without a credential the challenge has no error code (RFC 6750, section 3.1). */
function challenge(refusal: Refusal, entrance: string): HttpError {
  const { reason, description } = refusal;
  const isMissing = reason === 'missing';
  const error = isMissing ? '' : `, error="invalid_token", error_description="${description}"`;
  const header = `${REALM}${error}${entrance}`;
  const code = isMissing ? 'unauthorized' : 'invalid_token';
  return new HttpError(401, code, description, {
    headers: { 'WWW-Authenticate': header },
    facts: factsOf(refusal),
  });
}

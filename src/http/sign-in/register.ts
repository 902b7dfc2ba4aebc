/** `/register`: clients register themselves (RFC 7591). A request with a user's token gets an answer about that token instead. */
import { randomUUID } from 'node:crypto';
import type { Authenticator } from '../../auth/authenticate.ts';
import type { SignIn } from '../../auth/sign-in/sign-in.ts';
import { clientAddressOf } from '../client-address.ts';
import type { RequestContext, Route } from '../context.ts';
import { HttpError } from '../errors.ts';
import { authenticateRequest, countRefusal, factsOf } from '../gate/bearer-auth.ts';
import { type CountFailure, createFailureCounter } from '../gate/rate-limit.ts';
import { explainRefusal } from '../site/oauth-refusal.ts';
import { answerOAuthErrors } from './answers.ts';
import { readMetadata } from './form.ts';

/** What the route is made with. */
export interface RegisterParts {
  readonly signIn: SignIn;
  readonly authenticator: Authenticator;
  readonly countFailure: CountFailure;
  /** How many wrong credentials an address may send a minute. */
  readonly failuresPerMinute: number;
}

/** How many clients an address may register for each wrong credential that it may send: a class has one address, and some clients register at each start. */
const PER_FAILURE = 10;

const TOO_MANY_REGISTRATIONS = {
  code: 'too_many_registrations',
  words: 'Too many clients have registered from this address. Try again',
};

/** Makes the route. */
export function createRegisterRoute({
  signIn,
  authenticator,
  countFailure,
  failuresPerMinute,
}: RegisterParts): Route {
  const countRegistration = createFailureCounter(PER_FAILURE * failuresPerMinute, {
    tooMany: TOO_MANY_REGISTRATIONS,
  });
  const register = async (ctx: RequestContext): Promise<void> => {
    await requireNoCredential(ctx, authenticator, countFailure);
    countRegistration(clientAddressOf(ctx), randomUUID());
    ctx.body = signIn.register(await readMetadata(ctx));
    ctx.status = 201;
  };
  return {
    path: '/register',
    methods: { POST: answerOAuthErrors(register, countFailure) },
    access: 'public',
    pages: 'any',
  };
}

/** Makes the route of a server where clients may not register themselves. It says so, or what is wrong with a token that was sent. */
export function createNoRegistrationRoute({
  authenticator,
  countFailure,
}: Pick<RegisterParts, 'authenticator' | 'countFailure'>): Route {
  const refuse = async (ctx: RequestContext): Promise<void> => {
    await requireNoCredential(ctx, authenticator, countFailure);
    throw new HttpError(404, 'invalid_request', NO_REGISTRATION);
  };
  return { path: '/register', methods: { POST: refuse }, access: 'public', pages: 'any' };
}

const NO_REGISTRATION =
  'Clients cannot register themselves here. Use one that has a Client ID Metadata Document, or connect with your token in a header. ' +
  'The person who runs the server can allow it with OAUTH_REGISTRATION=true.';

/**
 * Refuses a request with a user's token, whether valid or not. A client that has a header configured sends that instead of the token that
 * its sign-in gives it, and would sign in again and again. mcp-remote shows its user what this answer says.
 */
async function requireNoCredential(
  ctx: RequestContext,
  authenticator: Authenticator,
  countFailure: CountFailure,
): Promise<void> {
  const authentication = await authenticateRequest(ctx, authenticator);
  if (authentication.ok)
    throw new HttpError(
      400,
      'invalid_request',
      'The token is valid: connect with it. It needs no registration.',
    );
  const { refusal } = authentication;
  if (refusal.reason === 'missing' && !hasEmptyCredential(ctx)) return;
  countRefusal(ctx, refusal, countFailure);
  throw new HttpError(
    401,
    'invalid_request',
    explainRefusal(refusal, 'Or remove the header there: without it, the client can sign in.'),
    {
      headers: { 'WWW-Authenticate': 'Bearer realm="mcp", error="invalid_token"' },
      facts: factsOf(refusal),
    },
  );
}

/** Whether a header for the token is there, but empty: a variable in the client's configuration was never filled in. */
function hasEmptyCredential({ req: { headers } }: RequestContext): boolean {
  return ['authorization', 'x-api-key', 'x-auth-token'].some((name) => headers[name] === '');
}

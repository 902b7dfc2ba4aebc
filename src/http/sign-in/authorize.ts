/** `/authorize`: the page that takes the user's token for a client, and the handling of its form. */
import type { Logger } from 'pino';
import { digestToken } from '../../auth/digest.ts';
import type { Authenticator } from '../../auth/authenticate.ts';
import type { Grant } from '../../auth/verifier.ts';
import type { TicketClaims } from '../../auth/sign-in/sealed-values.ts';
import { OAuthError } from '../../auth/sign-in/oauth-error.ts';
import { readParameters, requireParameter } from '../../auth/sign-in/parameters.ts';
import type { SignIn } from '../../auth/sign-in/sign-in.ts';
import { clientAddressOf } from '../client-address.ts';
import type { Handler, RequestContext, Route } from '../context.ts';
import { HttpError } from '../errors.ts';
import { countRefusal, factsOf } from '../gate/bearer-auth.ts';
import { type CountFailure, createFailureCounter, networkOf } from '../gate/rate-limit.ts';
import { guessOf, headersOf, onPage, sendOn, sendPage, statusOf } from './answers.ts';
import { type Offer, renderConsent, renderProblem, renderRedirect } from './consent-page.ts';
import { readForm } from './form.ts';
import { PAGE_STYLE } from './page-style.ts';

/** What the page is made with. */
export interface AuthorizeParts {
  readonly signIn: SignIn;
  readonly authenticator: Authenticator;
  readonly countFailure: CountFailure;
  /** How many wrong credentials, and how many documents of clients to read, an address may send a minute. */
  readonly failuresPerMinute: number;
  readonly serverName: string;
  readonly offers: readonly Offer[];
  readonly log: Logger;
}

/** Makes the routes of the page. */
export function createAuthorizeRoutes(parts: AuthorizeParts): Route[] {
  const ask = answerWithPages(createAsk(parts), parts);
  const decide = answerWithPages(createDecide(parts), parts);
  return [
    { path: '/authorize', methods: { GET: ask, HEAD: ask, POST: decide }, access: 'public', pages: 'own' },
    { path: '/authorize/style.css', methods: { GET: sendStyle, HEAD: sendStyle }, access: 'public' },
  ];
}

/** Sends the style sheet of the pages. */
const sendStyle: Handler = (ctx) => {
  ctx.set('Cache-Control', 'no-cache');
  ctx.type = 'css';
  ctx.body = PAGE_STYLE;
};

/** Makes the handler that asks the user. */
function createAsk({ signIn, serverName, offers, failuresPerMinute }: AuthorizeParts): Handler {
  const countReading = createFailureCounter(failuresPerMinute, { tooMany: TOO_MANY_DOCUMENTS });
  return async (ctx) => {
    const asked = await signIn.ask(
      readParameters(new URLSearchParams(ctx.querystring)),
      signIn.issuerOf(ctx.req.headers),
      (clientId) => void countReading(clientAddressOf(ctx), clientId),
    );
    if (asked.kind === 'answer')
      return sendOn(ctx, asked.location, renderRedirect(serverName, asked.location));
    const { ticket, sealedTicket } = asked;
    return sendPage(ctx, 200, renderConsent({ serverName, ticket, sealedTicket, offers }));
  };
}

/** Reading a document is no guess, but a request to another server. */
const TOO_MANY_DOCUMENTS = {
  code: 'too_many_documents',
  words: 'Too many client metadata documents have been requested from this address. Try again',
};

/** Makes the handler of the user's answer. The ticket contains the whole request, so the form has nothing that could be altered. */
function createDecide(parts: AuthorizeParts): Handler {
  const { signIn, serverName, offers, log } = parts;
  return async (ctx) => {
    requireOwnPage(ctx);
    const form = await readForm(ctx);
    if (form.others(['ticket', 'token', 'action']).length > 0 || ctx.querystring !== '')
      throw new OAuthError(
        'invalid_request',
        'The form was altered on its way. Start again from your client.',
      );
    const sealedTicket = requireParameter(form, 'ticket');
    const ticket = signIn.openTicket(sealedTicket, signIn.issuerOf(ctx.req.headers));
    const action = requireParameter(form, 'action');
    if (action === 'deny') {
      const location = signIn.deny(ticket);
      return sendOn(ctx, location, renderRedirect(serverName, location));
    }
    if (action !== 'allow') throw new OAuthError('invalid_request', 'The form was altered on its way.');
    const token = cleanPasted(form.get('token') ?? '');
    const grant = await judgePasted(token, ctx, parts).catch((error: unknown) => {
      if (!(error instanceof HttpError)) throw error;
      const refusal = error.message;
      throw onPage(error, renderConsent({ serverName, ticket, sealedTicket, offers, refusal }));
    });
    const location = signIn.allow(ticket, digestToken(token));
    noteSignIn(log, ticket, grant);
    return sendOn(ctx, location, renderRedirect(serverName, location));
  };
}

/** Refuses a form that a page of another site has sent. The guard checks the Origin; this check works without one, too. */
function requireOwnPage(ctx: RequestContext): void {
  if (['', 'same-origin', 'none'].includes(ctx.get('sec-fetch-site'))) return;
  throw new HttpError(403, 'forbidden_origin', 'This form can be sent from its own page only.');
}

/** A token without what is easily copied along with it: blanks, the word Bearer, quotes. */
function cleanPasted(text: string): string {
  return text
    .trim()
    .replace(/^(["'`])(.*)\1$/, '$2')
    .replace(/^(authorization:\s*)?bearer\s+/i, '')
    .trim();
}

/** Logs which user has allowed which client. The client's name is its own claim, unless `clientHost` vouches for it. */
function noteSignIn(log: Logger, { clientName, clientHost }: TicketClaims, { user, tokenId }: Grant): void {
  log.info({ userId: user.userId, tokenId, client: clientName, clientHost }, 'client allowed');
}

/** Returns the grant of the pasted token, if it is one to sign in with. Rejects with the words of the gate. */
async function judgePasted(
  token: string,
  ctx: RequestContext,
  { signIn, authenticator, countFailure }: AuthorizeParts,
): Promise<Grant> {
  if (token === '') {
    const words = 'Paste your token. You get it from the person who runs this server.';
    throw new HttpError(401, 'unauthorized', words, { facts: { reason: 'missing' } });
  }
  if (signIn.isDerived(token)) {
    const words =
      'This token was issued by signing in. Paste the token that you got from the person who runs this server.';
    throw new HttpError(401, 'invalid_token', words, { facts: { reason: 'unfit' } });
  }
  const authentication = await authenticator.authenticate({ authorization: `Bearer ${token}` }, () =>
    networkOf(clientAddressOf(ctx)),
  );
  if (authentication.ok) return authentication.grant;
  const { refusal } = authentication;
  countRefusal(ctx, refusal, countFailure);
  throw new HttpError(401, 'invalid_token', refusal.description, { facts: factsOf(refusal) });
}

/** Wraps a handler so that its refusals are pages, or JSON for programs: mcp-remote asks whether its client is still known. */
function answerWithPages(handle: Handler, { serverName, countFailure }: AuthorizeParts): Handler {
  return async (ctx) => {
    try {
      await handle(ctx);
    } catch (error) {
      const refusal = error instanceof OAuthError ? refusalOf(error, ctx, countFailure) : error;
      // Such a refusal has a page already, or is of a body of which the rest is too much to read.
      if (!(refusal instanceof HttpError) || refusal.show !== undefined || ctx.req.isPaused()) throw refusal;
      ctx.vary('Accept');
      if (ctx.accepts('html', 'json') === 'json') throw refusal;
      throw onPage(refusal, renderProblem(serverName, refusal.message));
    }
  };
}

/** The refusal of a request that cannot go on. Guesses are counted; the refusal is another one when there were too many. */
function refusalOf(error: OAuthError, ctx: RequestContext, countFailure: CountFailure): unknown {
  try {
    if (error.isGuess) countFailure(clientAddressOf(ctx), guessOf(error));
  } catch (tooMany) {
    return tooMany;
  }
  // Browsers show a login dialog of their own for some answers with 401.
  const status = error.code === 'invalid_client' ? 400 : statusOf(error);
  return new HttpError(status, error.code, error.message, { headers: headersOf(error), cause: error });
}

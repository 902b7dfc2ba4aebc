/** `/token` and `/revoke`: the endpoints that clients use without a browser. */
import type { CallingClient } from '../../auth/sign-in/clients.ts';
import { OAuthError } from '../../auth/sign-in/oauth-error.ts';
import { type Parameters, requireParameter } from '../../auth/sign-in/parameters.ts';
import type { SignIn } from '../../auth/sign-in/sign-in.ts';
import type { RequestContext, Route } from '../context.ts';
import type { CountFailure } from '../gate/rate-limit.ts';
import { answerOAuthErrors } from './answers.ts';
import { readForm } from './form.ts';

/** Makes the routes. */
export function createTokenRoutes(signIn: SignIn, countFailure: CountFailure): Route[] {
  const grant = async (ctx: RequestContext): Promise<void> => {
    const form = await readForm(ctx);
    const client = authenticateClient(ctx, form, signIn);
    ctx.set('Pragma', 'no-cache');
    ctx.body = signIn.grant(form, { client, issuer: signIn.issuerOf(ctx.req.headers) });
  };
  const revoke = async (ctx: RequestContext): Promise<void> => {
    const form = await readForm(ctx);
    const client = authenticateClient(ctx, form, signIn);
    await signIn.revoke(requireParameter(form, 'token'), client);
    ctx.status = 200;
    ctx.body = {};
  };
  return [['/token', grant] as const, ['/revoke', revoke] as const].map(([path, handle]) => ({
    path,
    methods: { POST: answerOAuthErrors(handle, countFailure) },
    access: 'public' as const,
    pages: 'any' as const,
  }));
}

/** The id and the secret that a client has sent. */
interface ClientCredential {
  readonly id: string;
  readonly secret: string | undefined;
}

/**
 * Authenticates the client that sends a request.
 * @throws {OAuthError} when it is unknown, or has a secret and has not sent it
 */
function authenticateClient(ctx: RequestContext, form: Parameters, signIn: SignIn): CallingClient {
  const { id, secret } = readClientCredential(ctx, form);
  const client = signIn.identify(id);
  if (client.hasSecret && (secret === undefined || !signIn.isSecretOf(secret, client)))
    throw new OAuthError(
      'invalid_client',
      'The client_secret is missing or wrong. Register again to get another one.',
      {
        isGuess: secret !== undefined,
      },
    );
  return client;
}

/** Reads the client's id and secret, from the body or from a Basic credential (RFC 6749, section 2.3.1). */
function readClientCredential(ctx: RequestContext, form: Parameters): ClientCredential {
  const basic = readBasic(ctx.get('authorization'));
  const [id, secret] = [form.get('client_id'), form.get('client_secret')];
  if (basic === undefined) {
    if (id === undefined)
      throw new OAuthError(
        'invalid_client',
        'Send the client_id. A client that has none must register first.',
      );
    return { id, secret };
  }
  if ((id !== undefined && id !== basic.id) || (secret !== undefined && secret !== basic.secret))
    throw new OAuthError('invalid_request', 'The request names two different clients; name one.');
  return basic;
}

/** Reads the two parts of a Basic credential; undefined if there is none that can be read. */
function readBasic(header: string): ClientCredential | undefined {
  const encoded = /^basic +([A-Za-z0-9+/=_-]+) *$/i.exec(header)?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString();
  const colonAt = text.indexOf(':');
  if (colonAt === -1) return undefined;
  const [id, secret] = [decodePart(text.slice(0, colonAt)), decodePart(text.slice(colonAt + 1))];
  return { id, secret: secret === '' ? undefined : secret };
}

/** Decodes a part, which is encoded as in a form. Clients that leave that out send nothing that would need it. */
function decodePart(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

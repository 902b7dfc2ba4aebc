/** The authorization endpoint without its HTTP: from the parameters of `/authorize` to a ticket for the form, and from the form to a code. */
import { randomBytes } from 'node:crypto';
import type { CountReading } from './client-documents.ts';
import type { Client, Clients } from './clients.ts';
import { CODE_MS } from './families.ts';
import { OAuthError } from './oauth-error.ts';
import { type Parameters, requireParameter } from './parameters.ts';
import { isChallenge } from './pkce.ts';
import { addToRedirect, isSameRedirect, type RedirectPolicy } from './redirect-policy.ts';
import { requireOwnResources } from './resources.ts';
import { readScope } from './scopes.ts';
import type { SealedValues, TicketClaims } from './sealed-values.ts';
import { endOf } from './skew.ts';

/** What the authorization is made from. */
export interface AuthorizationParts {
  readonly clients: Clients;
  readonly values: SealedValues;
  readonly redirects: RedirectPolicy;
  /** Every scope that this server knows. */
  readonly scopes: readonly string[];
  readonly now: () => number;
  /** Names this process in the tickets and codes that it makes. */
  readonly self: string;
}

/** The outcome of an authorization request: a question to the user, or a redirect back to the client. */
export type Asked =
  | { readonly kind: 'question'; readonly ticket: TicketClaims; readonly sealedTicket: string }
  | { readonly kind: 'answer'; readonly location: string };

/** Signs users in. */
export interface Authorization {
  /**
   * Reads an authorization request. Rejects with an {@link OAuthError} when there is no redirect that the user may be sent to, and with
   * what `countReading` throws.
   */
  ask(parameters: Parameters, issuer: string, countReading?: CountReading): Promise<Asked>;
  /**
   * Opens the ticket that comes back with the form.
   * @throws {OAuthError} when it is no ticket of this address, or too old
   */
  openTicket(sealedTicket: string, issuer: string): TicketClaims;
  /** The redirect after the user has allowed it; `digest` is that of the token that was pasted. */
  allow(ticket: TicketClaims, digest: string): string;
  /** The redirect after the user has denied it. */
  deny(ticket: TicketClaims): string;
}

/** How long the form may be open. Milliseconds. */
const TICKET_MS = 10 * 60_000;

/** The longest `state` that fits into the redirect and the ticket. Bytes as JSON, which takes six for some characters. */
const MAX_STATE_BYTES = 4_096;

/** Makes the authorization of a server. */
export function createAuthorization(parts: AuthorizationParts): Authorization {
  const { clients, values, redirects, now, self } = parts;
  return {
    async ask(parameters, issuer, countReading) {
      const clientId = requireParameter(parameters, 'client_id');
      const client = await clients.find(clientId, countReading);
      const redirectUri = findRedirect(client, parameters.get('redirect_uri'), redirects);
      let state: string | undefined;
      try {
        // Of two states neither is the client's: then the refusal goes back to it without one (RFC 6749, section 4.1.2.1).
        state = parameters.get('state');
        const ticket = readRequest(parameters, { client, redirectUri, issuer, parts });
        return { kind: 'question', ticket, sealedTicket: values.seal('ticket', ticket) };
      } catch (error) {
        if (!(error instanceof OAuthError)) throw error;
        return { kind: 'answer', location: refuse(error, { redirectUri, state, issuer }) };
      }
    },
    openTicket(sealedTicket, issuer) {
      const ticket = values.open('ticket', sealedTicket);
      if (ticket === undefined || ticket.issuer !== issuer || endOf(ticket, self) <= now())
        throw new OAuthError(
          'invalid_request',
          'This page is no longer valid: it is valid for ten minutes, and only at the address where it was opened. Start again from your client.',
        );
      // The process that made the ticket may have had another list of allowed redirects.
      requireAllowed(ticket.redirectUri, ticket.clientHost, redirects);
      return ticket;
    },
    allow(ticket, digest) {
      const { client, scopes, wantsOffline, issuer, refreshes, redirectUri, namedRedirect } = ticket;
      const { challenge, resources, state } = ticket;
      const issuedAtMs = now();
      const code = values.seal('code', {
        digest,
        client,
        family: randomBytes(12).toString('base64url'),
        scopes,
        wantsOffline,
        issuer,
        issuedAtMs,
        expiresAtMs: issuedAtMs + CODE_MS,
        refreshes,
        redirectUri,
        namedRedirect,
        challenge,
        resources,
        madeBy: self,
      });
      return addToRedirect(redirectUri, { code, state, iss: issuer });
    },
    deny: (ticket) => refuse(new OAuthError('access_denied', 'The user denied the request.'), ticket),
  };
}

/** The address to send the user to: the one that the request names, or else the only one that the client has registered. */
function findRedirect(client: Client, named: string | undefined, redirects: RedirectPolicy): string {
  const { redirectUris, host } = client;
  if (named !== undefined && !redirectUris.some((known) => isSameRedirect(known, named)))
    throw new OAuthError('invalid_request', 'The redirect_uri is not one that the client has registered.');
  const uri = named ?? onlyOf(redirectUris);
  if (uri === undefined)
    throw new OAuthError('invalid_request', 'Send the parameter redirect_uri: the client has several.');
  requireAllowed(uri, host, redirects);
  return uri;
}

/** The one address of a list; undefined where it has several. */
function onlyOf([first, ...others]: readonly string[]): string | undefined {
  return others.length === 0 ? first : undefined;
}

/** Refuses a redirect that this server does not allow, even if the client has registered it. */
function requireAllowed(uri: string, host: string | undefined, redirects: RedirectPolicy): void {
  if (host === undefined ? redirects.allows(uri) : redirects.allowsDocument(uri, host)) return;
  throw new OAuthError(
    'invalid_request',
    'The redirect_uri is not allowed here. Whoever runs the server: add the exact address to OAUTH_REDIRECT_URIS.',
  );
}

/** What of a request has been checked before the rest is read. */
interface RequestFacts {
  readonly client: Client;
  readonly redirectUri: string;
  readonly issuer: string;
  readonly parts: AuthorizationParts;
}

/** Checks the rest of a request, and makes the claims of its ticket. */
function readRequest(
  parameters: Parameters,
  { client, redirectUri, issuer, parts }: RequestFacts,
): TicketClaims {
  requirePlainRequest(parameters);
  const challenge = requireParameter(parameters, 'code_challenge');
  if (parameters.get('code_challenge_method') !== 'S256' || !isChallenge(challenge))
    throw new OAuthError(
      'invalid_request',
      'Send a code_challenge made with S256, and code_challenge_method=S256. No other method is supported.',
    );
  const { scopes, wantsOffline } = readScope(parameters.get('scope'), parts.scopes);
  const state = parameters.get('state');
  if (isTooLong(state))
    throw new OAuthError(
      'invalid_request',
      `The state must not be longer than ${MAX_STATE_BYTES} bytes when it is written as JSON. Send a shorter one.`,
    );
  return {
    client: client.hash,
    clientName: client.name,
    clientHost: client.host,
    refreshes: client.refreshes,
    redirectUri,
    namedRedirect: parameters.get('redirect_uri') !== undefined,
    state,
    challenge,
    scopes,
    // The scope of the answer would name `offline_access`, and the client would look for a refresh token.
    wantsOffline: wantsOffline && client.refreshes,
    resources: requireOwnResources(parameters.resources(), issuer),
    issuer,
    expiresAtMs: parts.now() + TICKET_MS,
    madeBy: parts.self,
  };
}

/** Whether a state is too long to be given back. */
function isTooLong(state = ''): boolean {
  return Buffer.byteLength(JSON.stringify(state)) - '""'.length > MAX_STATE_BYTES;
}

/** Refuses every flow but the authorization code flow with plain parameters and a page for the user. */
function requirePlainRequest(parameters: Parameters): void {
  parameters.requireOnce();
  if (requireParameter(parameters, 'response_type') !== 'code')
    throw new OAuthError('unsupported_response_type', 'The response_type must be code.');
  if ((parameters.get('response_mode') ?? 'query') !== 'query')
    throw new OAuthError('invalid_request', 'The response_mode must be query.');
  if (parameters.get('request') !== undefined)
    throw new OAuthError('request_not_supported', 'Send the parameters themselves, not a request object.');
  if (parameters.get('request_uri') !== undefined)
    throw new OAuthError('request_uri_not_supported', 'Send the parameters themselves, not a request_uri.');
  // There is no cookie: without the page no user is known.
  if (parameters.get('prompt')?.split(' ').includes('none') === true)
    throw new OAuthError('interaction_required', 'The user must be asked each time. Leave out prompt=none.');
}

/** The redirect for a refusal. */
interface RefusalPlace {
  readonly redirectUri: string;
  readonly state?: string | undefined;
  readonly issuer: string;
}

/** The redirect that tells the client of a refusal. */
function refuse({ code, message }: OAuthError, { redirectUri, state, issuer }: RefusalPlace): string {
  const short = isTooLong(state) ? undefined : state;
  return addToRedirect(redirectUri, { error: code, error_description: message, state: short, iss: issuer });
}

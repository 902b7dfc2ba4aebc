/** Dynamic client registration (RFC 7591): the metadata of a client is sealed into the id that it gets, and nothing is stored. */
import { wantsRefresh } from './client-documents.ts';
import { hashClientId } from './clients.ts';
import { readableName } from './names.ts';
import { OAuthError } from './oauth-error.ts';
import type { RedirectPolicy } from './redirect-policy.ts';
import type { SealedValues } from './sealed-values.ts';

/** The bounds of the redirects that go into an id. */
const MAX_REDIRECTS = 10;
const MAX_REDIRECT_CHARS = 512;

/** How a client may authenticate. */
export const AUTH_METHODS = ['none', 'client_secret_post', 'client_secret_basic'] as const;
type AuthMethod = (typeof AUTH_METHODS)[number];

/** What the registration is made from. */
export interface RegistrationParts {
  readonly values: SealedValues;
  readonly redirects: RedirectPolicy;
  /** Whether this server issues refresh tokens. */
  readonly canRefresh: boolean;
  readonly now: () => number;
}

/**
 * Registers a client, and returns the response to it (RFC 7591, section 3.2.1).
 * @throws {OAuthError} when the metadata cannot be accepted
 */
export function registerClient(
  metadata: unknown,
  { values, redirects, canRefresh, now }: RegistrationParts,
): object {
  const members = membersOf(metadata);
  const redirectUris = readRedirects(members['redirect_uris'], redirects);
  const method = readAuthMethod(members['token_endpoint_auth_method']);
  requireCode(members);
  const name = readableName(members['client_name']);
  const refreshes = wantsRefresh(members);
  const issuedAtMs = now();
  const hasSecret = method !== 'none';
  const clientId = values.seal('client', { redirectUris, name, hasSecret, refreshes, issuedAtMs });
  const applicationType = members['application_type'] === 'web' ? 'web' : 'native';
  return {
    client_id: clientId,
    client_id_issued_at: Math.floor(issuedAtMs / 1000),
    ...(hasSecret && {
      client_secret: values.seal('secret', { client: hashClientId(clientId) }),
      client_secret_expires_at: 0,
    }),
    redirect_uris: redirectUris,
    ...(name !== undefined && { client_name: name }),
    grant_types: refreshes && canRefresh ? ['authorization_code', 'refresh_token'] : ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: method,
    application_type: applicationType,
  };
}

/** The members of the metadata, without those that are null. */
function membersOf(metadata: unknown): Readonly<Record<string, unknown>> {
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata))
    throw new OAuthError('invalid_client_metadata', 'Send the metadata of the client as a JSON object.');
  return Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== null));
}

/** The listed redirects that are allowed here. The others are left out, since several clients also list redirects of their other variants. */
function readRedirects(listed: unknown, redirects: RedirectPolicy): string[] {
  if (!Array.isArray(listed) || listed.length === 0)
    throw new OAuthError('invalid_redirect_uri', 'Send redirect_uris, a list with at least one address.');
  if (listed.length > MAX_REDIRECTS)
    throw new OAuthError('invalid_redirect_uri', `Send no more than ${MAX_REDIRECTS} redirect_uris.`);
  const kept = listed.filter(
    (uri): uri is string =>
      typeof uri === 'string' && uri.length <= MAX_REDIRECT_CHARS && redirects.allows(uri),
  );
  if (kept.length > 0) return [...new Set(kept)];
  throw new OAuthError(
    'invalid_redirect_uri',
    'None of the redirect_uris is allowed here. Allowed are those of well-known clients, and http on localhost, 127.0.0.1 or [::1]. ' +
      'Whoever runs the server: add the exact address to OAUTH_REDIRECT_URIS.',
  );
}

/** The authentication method of the client. RFC 7591 says what it is when the client does not say. */
function readAuthMethod(said: unknown = 'client_secret_basic'): AuthMethod {
  const method = AUTH_METHODS.find((known) => known === said);
  if (method !== undefined) return method;
  throw new OAuthError(
    'invalid_client_metadata',
    `The token_endpoint_auth_method must be one of ${AUTH_METHODS.join(', ')}.`,
  );
}

/** Refuses a client that does not use the authorization code flow, which is the only one here. */
function requireCode({
  grant_types: grants,
  response_types: responses,
}: Readonly<Record<string, unknown>>): void {
  if (lacks(grants, 'authorization_code') || lacks(responses, 'code')) {
    throw new OAuthError(
      'invalid_client_metadata',
      'The grant_types must include authorization_code, and the response_types must include code.',
    );
  }
}

/** Whether a value is there, and is not a list that contains a word. */
function lacks(list: unknown, word: string): boolean {
  return list !== undefined && !(Array.isArray(list) && list.includes(word));
}

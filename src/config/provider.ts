/** The variables of an identity provider: another server at which users sign in, and whose access tokens are accepted here. */
import { z } from 'zod';
import type { AuthConfig } from './auth.ts';
import { ConfigError } from './config-error.ts';
import { type Exposure, isLoopbackHost, type OriginConfig } from './network.ts';
import type { SIGN_IN_VARIABLES } from './sign-in.ts';
import { list } from './value-types.ts';
import type { ValuesOf, Variables } from './variable.ts';

/** Whose tokens are accepted, and how they are read. */
export interface ProviderConfig {
  /** The issuer, exactly as tokens and metadata documents name it. */
  readonly issuer: string;
  /** The audiences that tokens may have; empty: this server's own addresses. */
  readonly audience: readonly string[];
  /** The URL of the keys of JWTs; absent if the issuer's document says it. */
  readonly jwksUrl?: string;
  /** The introspection endpoint for opaque tokens (RFC 7662); absent if the issuer's document says it. */
  readonly introspectionUrl?: string;
  /** The client that asks there; absent if there is none, and tokens must be JWTs. */
  readonly client?: { readonly id: string; readonly secret: string };
  /** Where the user's id is in a token: the name of a claim, or a path with dots. */
  readonly userClaim: string;
  /** The claims that may hold the scopes: the first that is there counts. */
  readonly scopeClaims: readonly string[];
  readonly canStepUp: boolean;
}

/** A URL that this server sends requests to: over https, or on this machine. */
const ASKED_URL = z.string().refine((text) => {
  if (!/^https?:\/\/[\x21-\x7e]+$/.test(text) || text.includes('#') || !URL.canParse(text)) return false;
  const { protocol, hostname, username } = new URL(text);
  return username === '' && (protocol === 'https:' || isLoopbackHost(hostname));
}, 'must be a whole https address; plain http is for this machine alone');

/** An audience of tokens: an address, or whatever name a provider has for this server. */
const AUDIENCE = z
  .string()
  .regex(/^[\x21-\x7e]{1,512}$/, 'must be names or addresses without spaces, separated by commas');

/** The place of a claim: its name, or the names on the path to it with dots between. A name that has dots is tried as a whole first. */
const CLAIM = z
  .string()
  .regex(/^[^\s.]+(\.[^\s.]+)*$/, 'must be the name of a claim, or a path to one such as realm_access.roles')
  .max(200, 'must be at most 200 characters');

export const PROVIDER_VARIABLES = {
  OAUTH_ISSUER: {
    description:
      'The issuer of an identity provider (OAuth, OpenID Connect) at which users sign in, exactly as the provider writes it; its access tokens are then accepted. Excludes SIGN_IN=true.',
    // An example that works would switch it on.
    example: '',
    schema: ASKED_URL.refine(
      (text) => !text.includes('?'),
      'must be the issuer exactly as the provider writes it, without a query',
    ).optional(),
  },
  OAUTH_AUDIENCE: {
    description:
      "The audiences (aud) that the provider's tokens may have, separated by commas. Default: the address of this server, alone and with /mcp, /sse or /tools.",
    example: '',
    schema: list(AUDIENCE),
  },
  OAUTH_JWKS_URL: {
    description:
      "The URL of the keys with which the provider's JWTs are verified. Default: the one in the provider's metadata document.",
    example: '',
    schema: ASKED_URL.optional(),
  },
  OAUTH_INTROSPECTION_URL: {
    description:
      "The URL at which the provider's opaque tokens are introspected (RFC 7662). Default: the one in the provider's metadata document, once OAUTH_CLIENT_ID is set.",
    example: '',
    schema: ASKED_URL.optional(),
  },
  OAUTH_CLIENT_ID: {
    description: 'The client id with which this server authenticates when it introspects opaque tokens.',
    example: '',
    schema: z.string().min(1).optional(),
  },
  OAUTH_CLIENT_SECRET: {
    description: 'The secret of OAUTH_CLIENT_ID.',
    example: '',
    schema: z.string().min(1).optional(),
  },
  OAUTH_USER_CLAIM: {
    description: 'Which claim of a token names the user; a path such as profile.id is allowed.',
    example: 'sub',
    schema: CLAIM.default('sub'),
  },
  OAUTH_SCOPE_CLAIM: {
    description:
      'Which claim of a token holds the scopes, as a text of words or as a list; a path such as realm_access.roles is allowed. Default: scope, else scp.',
    example: '',
    schema: CLAIM.optional(),
  },
} as const satisfies Variables;

type Values = ValuesOf<typeof PROVIDER_VARIABLES> & Pick<ValuesOf<typeof SIGN_IN_VARIABLES>, 'OAUTH_STEP_UP'>;

/** What decides about the provider besides the variables of this group. */
export interface ProviderCircumstances {
  readonly auth: Pick<AuthConfig, 'enabled'>;
  readonly exposure: Pick<Exposure, 'publicMode'>;
  readonly origin: Pick<OriginConfig, 'publicUrl'>;
}

/**
 * Makes the configuration of the provider; undefined if there is none.
 * @throws {ConfigError} when something that it needs is missing
 */
export function providerOf(
  values: Values,
  { auth, exposure, origin }: ProviderCircumstances,
): ProviderConfig | undefined {
  const { OAUTH_ISSUER: issuer, OAUTH_CLIENT_ID: id, OAUTH_CLIENT_SECRET: secret } = values;
  const { OAUTH_JWKS_URL: jwksUrl, OAUTH_INTROSPECTION_URL: introspectionUrl } = values;
  if (issuer === undefined) return undefined;
  if (!auth.enabled)
    throw new ConfigError(
      'OAUTH_ISSUER needs authentication, which AUTH_ENABLED=false switches off. Remove one.',
    );
  requireAddress(exposure, origin);
  if ((id === undefined) !== (secret === undefined))
    throw new ConfigError('OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET belong together: set both.');
  if (introspectionUrl !== undefined && id === undefined)
    throw new ConfigError(
      'OAUTH_INTROSPECTION_URL needs OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET: whoever asks about tokens must say who it is.',
    );
  return {
    issuer,
    audience: values.OAUTH_AUDIENCE,
    ...(jwksUrl !== undefined && { jwksUrl }),
    ...(introspectionUrl !== undefined && { introspectionUrl }),
    ...(id !== undefined && secret !== undefined && { client: { id, secret } }),
    userClaim: values.OAUTH_USER_CLAIM,
    scopeClaims: values.OAUTH_SCOPE_CLAIM === undefined ? ['scope', 'scp'] : [values.OAUTH_SCOPE_CLAIM],
    canStepUp: values.OAUTH_STEP_UP,
  };
}

/**
 * Refuses a server whose address is not known, or is plain HTTP: tokens must be for that address.
 * @throws {ConfigError} that says what to set
 */
function requireAddress(
  { publicMode }: ProviderCircumstances['exposure'],
  { publicUrl }: ProviderCircumstances['origin'],
): void {
  if (publicUrl === undefined) {
    if (!publicMode) return;
    throw new ConfigError(
      'OAUTH_ISSUER needs the address that clients use, which tokens must be for. Set PUBLIC_URL to it.',
    );
  }
  const { protocol, hostname } = new URL(publicUrl);
  if (protocol !== 'https:' && !isLoopbackHost(hostname))
    throw new ConfigError(
      'OAUTH_ISSUER needs HTTPS: PUBLIC_URL is plain HTTP, over which tokens would travel unencrypted. Put HTTPS in front of this server.',
    );
}

/** The variables of signing in with a token on a page of this server (OAuth), for clients that cannot be given a token. */
import { z } from 'zod';
import type { AuthConfig } from './auth.ts';
import { ConfigError } from './config-error.ts';
import { type Exposure, isLoopbackHost, type OriginConfig } from './network.ts';
import type { SharingConfig } from './sharing.ts';
import { HOST_HEADER, list, SWITCH, wholeNumber } from './value-types.ts';
import type { ValuesOf, Variables } from './variable.ts';

/** How users sign in. */
export interface SignInConfig {
  /** In base64url; empty if one is to be generated for this run. */
  readonly secrets: readonly string[];
  /** More hosts of client documents; `*` stands for every one. */
  readonly clientHosts: readonly string[];
  /** More addresses that users may be sent back to. */
  readonly redirectUris: readonly string[];
  /** Whether clients may register themselves. */
  readonly canRegister: boolean;
  readonly accessMs: number;
  /** Counted from the sign-in; 0: no refresh tokens. */
  readonly refreshMs: number;
  /** Whether users are sent to sign in again for scopes that they could have. */
  readonly canStepUp: boolean;
}

/** Whether users can sign in, and if they cannot although there is a secret, why. */
export interface SignInChoice {
  readonly signIn?: SignInConfig;
  readonly noSignInBecause?: string;
}

/** A host of client documents, or all of them. */
const CLIENT_HOST = z.union([z.literal('*'), HOST_HEADER], 'must be host names with or without a port, or *');

/** Schemes that no program of a client has: nobody is ever sent back to one. */
const NEVER_SCHEMES =
  /^(about|blob|chrome|data|edge|file|filesystem|ftp|http|intent|javascript|mailto|resource|tel|vbscript|view-source|ws|wss):/;

/** A complete redirect URI: of a web page over https, or of a program with a scheme of its own. */
const REDIRECT_URI = z.string().refine((text) => {
  if (!/^[\x21-\x7e]+$/.test(text) || /[\\<>"^`{|}#]/.test(text) || !URL.canParse(text)) return false;
  const { protocol, username, password, searchParams } = new URL(text);
  if (username !== '' || password !== '' || NEVER_SCHEMES.test(protocol)) return false;
  // The authorization response adds these.
  if (
    ['code', 'state', 'iss', 'error', 'error_description', 'response'].some((name) => searchParams.has(name))
  )
    return false;
  return protocol !== 'https:' || text.startsWith('https://');
}, 'must be whole addresses such as https://my-client.example/callback or my-app://callback, separated by commas');

/** The longest lifetime of anything. */
const YEAR_SECONDS = 31_536_000;

export const SIGN_IN_VARIABLES = {
  SIGN_IN: {
    description:
      'Whether Claude, ChatGPT and other clients can send their users to a page of this server, where they sign in with their token. Default: true as soon as SERVER_SECRET is set, authentication is on and PUBLIC_URL is known.',
    example: 'false',
    schema: SWITCH.optional(),
  },
  OAUTH_CLIENT_HOSTS: {
    description:
      'More hosts whose Client ID Metadata Documents are accepted, separated by commas, besides those of well-known clients; * accepts all hosts.',
    example: 'my-client.example',
    schema: list(CLIENT_HOST),
  },
  OAUTH_REDIRECT_URIS: {
    description:
      "More redirect URIs that are accepted, separated by commas and exactly as the client sends them, besides those of well-known clients and of programs on the user's own machine.",
    example: 'https://my-client.example/callback',
    schema: list(REDIRECT_URI),
  },
  OAUTH_REGISTRATION: {
    description:
      'Whether clients may register themselves (RFC 7591). With false, a new client needs a Client ID Metadata Document.',
    example: 'true',
    schema: SWITCH.default(true),
  },
  OAUTH_ACCESS_SECONDS: {
    description:
      'Seconds for which an access token issued by signing in is valid. The token that the user signed in with is checked at every request as well.',
    example: '604800',
    schema: wholeNumber(604_800, 60, YEAR_SECONDS),
  },
  OAUTH_REFRESH_SECONDS: {
    description:
      'Seconds after signing in during which access tokens can be refreshed; 0: no refresh tokens.',
    example: '7776000',
    schema: wholeNumber(7_776_000, 0, YEAR_SECONDS).refine((seconds) => seconds === 0 || seconds >= 60, {
      message: `must be 0, or a whole number from 60 to ${YEAR_SECONDS}`,
    }),
  },
  OAUTH_STEP_UP: {
    description:
      'Whether a call that lacks a scope is refused with 403 if signing in again would grant the scope, so that the client signs in again. With false, the call gets a tool error.',
    example: 'true',
    schema: SWITCH.default(true),
  },
} as const satisfies Variables;

type Values = ValuesOf<typeof SIGN_IN_VARIABLES>;

/** What decides about signing in besides the variables of this group. */
export interface SignInCircumstances {
  readonly auth: Pick<AuthConfig, 'enabled'>;
  readonly exposure: Pick<Exposure, 'publicMode' | 'production'>;
  readonly origin: Pick<OriginConfig, 'publicUrl'>;
  readonly sharing: SharingConfig;
  /** Whether users sign in at another server. */
  readonly hasProvider: boolean;
}

/**
 * Decides whether and how users can sign in.
 * @throws {ConfigError} when they are meant to, and something is missing or in the way
 */
export function signInOf(values: Values, circumstances: SignInCircumstances): SignInChoice {
  const { secrets } = circumstances.sharing;
  if (circumstances.hasProvider) {
    if (values.SIGN_IN !== true) return {};
    throw new ConfigError(
      'SIGN_IN=true and OAUTH_ISSUER exclude each other: users sign in here, or there. Remove one of them.',
    );
  }
  if (!(values.SIGN_IN ?? secrets.length > 0)) return {};
  const because = findObstacle(circumstances);
  if (because !== undefined) {
    if (values.SIGN_IN !== true) return { noSignInBecause: because };
    throw new ConfigError(`SIGN_IN=true cannot be used: ${because}`);
  }
  if (secrets.length === 0 && circumstances.exposure.production) {
    throw new ConfigError(
      'SIGN_IN=true needs SERVER_SECRET, or every restart would end all sign-ins. Set it to what "npm run token -- secret" prints.',
    );
  }
  return {
    signIn: {
      secrets,
      clientHosts: values.OAUTH_CLIENT_HOSTS,
      redirectUris: values.OAUTH_REDIRECT_URIS,
      canRegister: values.OAUTH_REGISTRATION,
      accessMs: values.OAUTH_ACCESS_SECONDS * 1000,
      refreshMs: values.OAUTH_REFRESH_SECONDS * 1000,
      canStepUp: values.OAUTH_STEP_UP,
    },
  };
}

/** Finds what prevents signing in, with what to do about it; undefined if nothing does. */
function findObstacle({ auth, exposure, origin: { publicUrl } }: SignInCircumstances): string | undefined {
  if (!auth.enabled) return 'authentication is off, so there is nobody to sign in. Set AUTH_ENABLED=true.';
  if (publicUrl === undefined) {
    return exposure.publicMode
      ? 'the address that clients use is not known, and the sign-in page must be there. Set PUBLIC_URL to it.'
      : undefined;
  }
  const { protocol, hostname } = new URL(publicUrl);
  return protocol === 'https:' || isLoopbackHost(hostname)
    ? undefined
    : 'PUBLIC_URL is plain HTTP, over which tokens would travel unencrypted. Put HTTPS in front of this server.';
}

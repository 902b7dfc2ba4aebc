/** Finds variables that are set and have no effect, because what they belong to is off; the start warns of them. */
import type { AuthConfig } from './auth.ts';
import type { MetricsConfig } from './metrics.ts';
import { PROVIDER_VARIABLES, type ProviderConfig } from './provider.ts';
import type { SharingConfig } from './sharing.ts';
import { SIGN_IN_VARIABLES, type SignInChoice } from './sign-in.ts';

/** Variables without effect. */
export interface WithoutEffect {
  readonly variables: readonly string[];
  /** Why they have none, and what to do about it. */
  readonly reason: string;
}

/** The choices on which the effect of variables depends. */
export interface Choices extends SignInChoice {
  readonly provider: ProviderConfig | undefined;
  /** Whether SIGN_IN=false switches signing in off. */
  readonly isSignInOff: boolean;
  readonly auth: Pick<AuthConfig, 'tokens'>;
  readonly sharing: SharingConfig;
  readonly metrics: MetricsConfig;
}

/** Variables that switch something on and off, and so do not belong to it. */
const SWITCHES: ReadonlySet<string> = new Set(['SIGN_IN', 'OAUTH_ISSUER']);

/** The variable that counts for signing in anywhere, and those that count for signing in here. */
const STEP_UP = 'OAUTH_STEP_UP';
const OF_SIGN_IN = Object.keys(SIGN_IN_VARIABLES).filter((name) => !SWITCHES.has(name) && name !== STEP_UP);
const OF_PROVIDER = Object.keys(PROVIDER_VARIABLES).filter((name) => !SWITCHES.has(name));

/** Finds the variables without effect among those that are set. */
export function findWithoutEffect(isSet: (name: string) => boolean, choices: Choices): WithoutEffect[] {
  const { auth, provider, signIn, sharing, metrics } = choices;
  const groups: readonly (false | WithoutEffect)[] = [
    auth.tokens.kind === 'text' && {
      variables: ['TOKENS_FILE'],
      reason:
        'AUTH_TOKENS takes precedence over it: changes of the file have no effect, not even revocations. Unset one of them.',
    },
    provider === undefined && {
      variables: OF_PROVIDER,
      reason:
        'There is no OAUTH_ISSUER to which they belong. Set it to the identity provider, or unset them.',
    },
    signIn === undefined && {
      variables: provider === undefined ? [...OF_SIGN_IN, STEP_UP] : OF_SIGN_IN,
      reason: whyNobodySignsIn(choices),
    },
    sharing.secrets.length === 0 && {
      variables: ['SESSION_MAX_AGE_SECONDS'],
      reason:
        'Without SERVER_SECRET, sessions end with this process. Set SERVER_SECRET as well, or unset this variable.',
    },
    sharing.redis === undefined && {
      variables: ['REDIS_PREFIX'],
      reason: 'It has no effect without REDIS_URL. Set REDIS_URL as well, or unset this variable.',
    },
    metrics.token === undefined && {
      variables: ['METRICS_USERS'],
      reason:
        'Without METRICS_TOKEN there is no /metrics. Set METRICS_TOKEN as well, or unset this variable.',
    },
  ];
  return groups
    .filter((group) => group !== false)
    .map(({ variables, reason }) => ({ variables: variables.filter(isSet), reason }))
    .filter(({ variables }) => variables.length > 0);
}

/** Why users do not sign in at this server, and what mends it. */
function whyNobodySignsIn({ provider, isSignInOff, noSignInBecause }: Choices): string {
  if (provider !== undefined) return 'Users sign in at OAUTH_ISSUER, not here. Unset them.';
  if (isSignInOff) return 'SIGN_IN=false switches signing in off. Unset that, or them.';
  if (noSignInBecause !== undefined) return `Users cannot sign in: ${noSignInBecause}`;
  return 'Users cannot sign in without SERVER_SECRET. Set it to what npm run token -- secret prints, or unset them.';
}

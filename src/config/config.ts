/** The environment, parsed once into a frozen, grouped configuration: every group of variables is listed here. */
import { deepFreeze } from '../deep-freeze.ts';
import type { LogLevel } from '../log.ts';
import { AUTH_VARIABLES, type AuthConfig, authOf, tokenSourceOf } from './auth.ts';
import type { Environment } from './environment.ts';
import {
  CALL_LIMITS_VARIABLES,
  type CallLimitsConfig,
  callLimitsOf,
  LIMITS_VARIABLES,
  type LimitsConfig,
  limitsOf,
} from './limits.ts';
import {
  type Exposure,
  exposureOf,
  findInvitation,
  NETWORK_VARIABLES,
  type OriginConfig,
  originOf,
} from './network.ts';
import { METRICS_VARIABLES, type MetricsConfig, metricsOf } from './metrics.ts';
import { OPERATION_VARIABLES } from './operation.ts';
import { PLATFORM_VARIABLES } from './platforms.ts';
import { PROVIDER_VARIABLES, type ProviderConfig, providerOf } from './provider.ts';
import { SHARING_VARIABLES, type SharingConfig, sharingOf } from './sharing.ts';
import { SIGN_IN_VARIABLES, type SignInChoice, signInOf } from './sign-in.ts';
import { type StorageConfig, STORAGE_VARIABLES, storageOf } from './storage.ts';
import { NOTHING_AROUND, type Surroundings } from './surroundings.ts';
import { parseVariables, type ValuesOf, type Variable, type Variables } from './variable.ts';
import { findWithoutEffect, type WithoutEffect } from './without-effect.ts';

/** The groups of variables that an operator sets, in the order in which they are shown. A fork's own belong to its services. */
export const VARIABLE_GROUPS: readonly Variables[] = [
  NETWORK_VARIABLES,
  AUTH_VARIABLES,
  SIGN_IN_VARIABLES,
  PROVIDER_VARIABLES,
  LIMITS_VARIABLES,
  SHARING_VARIABLES,
  STORAGE_VARIABLES,
  OPERATION_VARIABLES,
  METRICS_VARIABLES,
];

const VARIABLES = {
  ...NETWORK_VARIABLES,
  ...PLATFORM_VARIABLES,
  ...AUTH_VARIABLES,
  ...SIGN_IN_VARIABLES,
  ...PROVIDER_VARIABLES,
  ...LIMITS_VARIABLES,
  ...SHARING_VARIABLES,
  ...STORAGE_VARIABLES,
  ...OPERATION_VARIABLES,
  ...METRICS_VARIABLES,
} as const satisfies Variables;

/** Whether a name is free for a variable of a fork, or the variable is the server's own of that name. */
export function mayDeclare(name: string, variable: Variable): boolean {
  const known: Variables = VARIABLES;
  return (known[name] ?? variable) === variable;
}

/** The variables of the stdio server. */
const STDIO_VARIABLES = {
  ...AUTH_VARIABLES,
  ...CALL_LIMITS_VARIABLES,
  LOG_LEVEL: OPERATION_VARIABLES.LOG_LEVEL,
} as const satisfies Variables;

/** The configuration of the HTTP server. */
export interface Config extends Exposure, SignInChoice {
  /** Another server at which users sign in; absent if there is none. */
  readonly provider?: ProviderConfig;
  readonly auth: AuthConfig;
  readonly origin: OriginConfig;
  readonly limits: LimitsConfig;
  readonly sharing: SharingConfig;
  readonly storage: StorageConfig;
  /** Set if somebody has chosen a database: the server keeps counts of use in it, too. */
  readonly keepsUse?: true;
  readonly metrics: MetricsConfig;
  /** Variables that are set and have no effect. */
  readonly withoutEffect?: readonly WithoutEffect[];
  readonly sseEnabled: boolean;
  readonly keepAliveMs: number;
  readonly idleConnectionMs: number;
  readonly shutdownDelayMs: number;
  readonly shutdownGraceMs: number;
  readonly logAddresses: boolean;
  readonly logLevel: LogLevel;
  /** The values of the fork's own variables, by name. */
  readonly own: Readonly<Record<string, unknown>>;
}

/** The configuration of the stdio server. It has no network, so authentication is off unless it is switched on. */
export interface StdioConfig {
  readonly auth: Pick<AuthConfig, 'enabled' | 'tokens'>;
  /** The token of the one user of this process. */
  readonly token: string | undefined;
  readonly limits: CallLimitsConfig;
  readonly logLevel: LogLevel;
  /** The values of the fork's own variables, by name. */
  readonly own: Readonly<Record<string, unknown>>;
}

/**
 * Parses the variables of the HTTP server, and a fork's own.
 * @throws {ConfigError} listing every bad variable with what is allowed
 */
export function parseConfig(
  environment: Environment,
  ownVariables: Variables = {},
  surroundings: Surroundings = NOTHING_AROUND,
): Config {
  const { values, own } = parse(environment, ownVariables, VARIABLES);
  const exposure = exposureOf(values);
  const auth = authOf(values, {
    ...surroundings,
    publicMode: exposure.publicMode,
    invitation: findInvitation(values, surroundings),
    hasProvider: values.OAUTH_ISSUER !== undefined,
  });
  const origin = originOf(values, exposure);
  const sharing = sharingOf(values);
  const provider = providerOf(values, { auth, exposure, origin });
  const signIn = signInOf(values, { auth, exposure, origin, sharing, hasProvider: provider !== undefined });
  const metrics = metricsOf(values);
  const withoutEffect = findWithoutEffect((name) => isSet(environment, name), {
    ...signIn,
    provider,
    isSignInOff: values.SIGN_IN === false,
    auth,
    sharing,
    metrics,
  });
  return freeze<Config>({
    ...exposure,
    auth,
    ...signIn,
    ...(provider !== undefined && { provider }),
    origin,
    limits: limitsOf(values),
    sharing,
    storage: storageOf(values),
    ...((isSet(environment, 'DATABASE_URL') || auth.tokens.kind === 'database') && { keepsUse: true }),
    metrics,
    ...(withoutEffect.length > 0 && { withoutEffect }),
    sseEnabled: values.SSE_ENABLED,
    keepAliveMs: values.SSE_KEEPALIVE_SECONDS * 1000,
    idleConnectionMs: values.KEEP_ALIVE_SECONDS * 1000,
    shutdownDelayMs: values.SHUTDOWN_DELAY_SECONDS * 1000,
    shutdownGraceMs: values.SHUTDOWN_GRACE_SECONDS * 1000,
    logAddresses: values.LOG_ADDRESSES,
    logLevel: values.LOG_LEVEL,
    own,
  });
}

/**
 * Parses the variables of the stdio server, and a fork's own.
 * @throws {ConfigError} listing every bad variable with what is allowed
 */
export function parseStdioConfig(environment: Environment, ownVariables: Variables = {}): StdioConfig {
  // No other variables: one of the network, set for another program or in another project, must not end the start.
  const { values, own } = parse(environment, ownVariables, STDIO_VARIABLES);
  return freeze<StdioConfig>({
    auth: { enabled: values.AUTH_ENABLED ?? false, tokens: tokenSourceOf(values) },
    token: values.MCP_TOKEN,
    limits: callLimitsOf(values),
    logLevel: values.LOG_LEVEL,
    own,
  });
}

/** Parses variables at once, so that every bad one is named. */
function parse<Known extends Variables>(environment: Environment, ownVariables: Variables, known: Known) {
  const all: Readonly<Record<string, unknown>> & ValuesOf<Known> = parseVariables(
    { ...ownVariables, ...known },
    environment,
  );
  const own = Object.fromEntries(Object.keys(ownVariables).map((name) => [name, all[name]]));
  return { values: all, own };
}

/** Whether somebody has given a variable a value. */
function isSet(environment: Environment, name: string): boolean {
  return (environment[name] ?? '').trim() !== '';
}

/** Freezes a configuration, except for what a fork's own values contain: they may be anything. */
function freeze<Parsed extends Config | StdioConfig>(config: Parsed): Parsed {
  const { own, ...known } = config;
  Object.freeze(own);
  deepFreeze(known);
  return Object.freeze(config);
}

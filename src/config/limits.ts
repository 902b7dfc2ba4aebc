/** The variables that bound what clients can use up. */
import { wholeNumber } from './value-types.ts';
import type { ValuesOf, Variables } from './variable.ts';

/** The limits of one user's tool calls. */
export interface CallLimitsConfig {
  /** 0: no limit. */
  readonly callsPerMinute: number;
  readonly maxCallsPerUser: number;
}

/** The limits of what clients can use up. */
export interface LimitsConfig extends CallLimitsConfig {
  readonly maxBodyBytes: number;
  readonly maxSessions: number;
  readonly maxSessionsPerUser: number;
  readonly sessionIdleMs: number;
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
}

/** The variables that the stdio server has, too. */
export const CALL_LIMITS_VARIABLES = {
  CALLS_PER_MINUTE: {
    description:
      'So many tool calls a user makes a minute, half of them at once; more are told how long to wait. 0: as many as come.',
    example: '600',
    schema: wholeNumber(600, 0, 1_000_000),
  },
  MAX_CALLS_IN_FLIGHT_PER_USER: {
    description: 'So many calls of one user run at once; while authentication is off, as many as come.',
    example: '50',
    schema: wholeNumber(50, 1, 1_000_000),
  },
} as const satisfies Variables;

export const LIMITS_VARIABLES = {
  SESSION_IDLE_SECONDS: {
    description:
      'A session that nothing has used for this long ends. Counts for both transports, as do the next two. Seconds.',
    example: '1800',
    schema: wholeNumber(1800, 1, 604_800),
  },
  MAX_SESSIONS: {
    description: 'So many sessions in total; the one that has been idle longest makes room for another.',
    example: '10000',
    schema: wholeNumber(10_000, 1, 1_000_000),
  },
  MAX_SESSIONS_PER_USER: {
    description: 'So many sessions of one user, likewise; while authentication is off, MAX_SESSIONS counts.',
    example: '100',
    schema: wholeNumber(100, 1, 1_000_000),
  },
  ...CALL_LIMITS_VARIABLES,
  MAX_CONNECTIONS: {
    description: 'So many connections in total; never more than the descriptors of the process allow.',
    example: '20000',
    schema: wholeNumber(20_000, 1, 1_000_000),
  },
  MAX_CONNECTIONS_PER_ADDRESS: {
    description:
      'So many connections from one address, without TRUST_PROXY; those of this machine do not count.',
    example: '2000',
    schema: wholeNumber(2_000, 1, 1_000_000),
  },
  MAX_BODY_BYTES: {
    description: 'Larger bodies get 413. Bytes.',
    example: '4194304',
    schema: wholeNumber(4_194_304, 1024, 268_435_456),
  },
} as const satisfies Variables;

/** Makes the limits of tool calls. */
export function callLimitsOf(values: ValuesOf<typeof CALL_LIMITS_VARIABLES>): CallLimitsConfig {
  return {
    callsPerMinute: values.CALLS_PER_MINUTE,
    maxCallsPerUser: values.MAX_CALLS_IN_FLIGHT_PER_USER,
  };
}

/** Makes the limits of the HTTP server. */
export function limitsOf(values: ValuesOf<typeof LIMITS_VARIABLES>): LimitsConfig {
  return {
    maxBodyBytes: values.MAX_BODY_BYTES,
    maxSessions: values.MAX_SESSIONS,
    maxSessionsPerUser: values.MAX_SESSIONS_PER_USER,
    ...callLimitsOf(values),
    sessionIdleMs: values.SESSION_IDLE_SECONDS * 1000,
    maxConnections: values.MAX_CONNECTIONS,
    maxConnectionsPerAddress: values.MAX_CONNECTIONS_PER_ADDRESS,
  };
}

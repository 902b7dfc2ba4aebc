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
      'How many tool calls a user may make a minute, at most half of them at once. Further calls are refused, and the answer says how long to wait. 0: no limit.',
    example: '600',
    schema: wholeNumber(600, 0, 1_000_000),
  },
  MAX_CALLS_IN_FLIGHT_PER_USER: {
    description:
      'How many calls of one user may run at the same time. While authentication is off, the HTTP server has no such limit.',
    example: '50',
    schema: wholeNumber(50, 1, 1_000_000),
  },
} as const satisfies Variables;

export const LIMITS_VARIABLES = {
  SESSION_IDLE_SECONDS: {
    description:
      'Seconds after which an unused session ends. This variable and the next two apply to both HTTP transports.',
    example: '1800',
    schema: wholeNumber(1800, 1, 604_800),
  },
  MAX_SESSIONS: {
    description:
      'The most sessions in total. Beyond that, a new session ends the one that has been idle longest.',
    example: '10000',
    schema: wholeNumber(10_000, 1, 1_000_000),
  },
  MAX_SESSIONS_PER_USER: {
    description:
      'The most sessions of one user. Beyond that, a new session ends the one of this user that has been idle longest. While authentication is off, MAX_SESSIONS applies instead.',
    example: '100',
    schema: wholeNumber(100, 1, 1_000_000),
  },
  ...CALL_LIMITS_VARIABLES,
  MAX_CONNECTIONS: {
    description:
      'The most open connections in total, or fewer if the process may not open as many file descriptors.',
    example: '20000',
    schema: wholeNumber(20_000, 1, 1_000_000),
  },
  MAX_CONNECTIONS_PER_ADDRESS: {
    description:
      'The most open connections from one address. Connections from this machine do not count, and with TRUST_PROXY=true there is no such limit.',
    example: '2000',
    schema: wholeNumber(2_000, 1, 1_000_000),
  },
  MAX_BODY_BYTES: {
    description: 'The largest request body, in bytes; a larger one is answered with 413.',
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

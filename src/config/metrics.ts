/** The variables of `/metrics`. */
import { z } from 'zod';
import { SWITCH } from './value-types.ts';
import type { ValuesOf, Variables } from './variable.ts';

/** What `/metrics` shows, and to whom. */
export interface MetricsConfig {
  /** Absent if there is no `/metrics`. */
  readonly token?: string;
  readonly byUser: boolean;
}

export const METRICS_VARIABLES = {
  METRICS_TOKEN: {
    description:
      'The bearer token that opens /metrics; nothing else opens it. npm run token -- secret prints such a token. Without this variable there is no /metrics.',
    // An example that works would be a secret that everybody knows.
    example: '',
    schema: z
      .string()
      .regex(
        /^[\x21-\x7e]+$/,
        'must be printable characters without spaces: npm run token -- secret prints such a text',
      )
      .optional(),
  },
  METRICS_USERS: {
    description: 'Whether /metrics counts calls by user, with the ids of users.',
    example: 'false',
    schema: SWITCH.default(false),
  },
} as const satisfies Variables;

/** Makes the configuration of `/metrics`. */
export function metricsOf(values: ValuesOf<typeof METRICS_VARIABLES>): MetricsConfig {
  const { METRICS_TOKEN: token, METRICS_USERS: byUser } = values;
  return { ...(token !== undefined && { token }), byUser };
}

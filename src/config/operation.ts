/** The variables of a server in operation: its streams, its shutdown, its log. */
import { z } from 'zod';
import { LOG_LEVELS } from '../log.ts';
import { SWITCH, wholeNumber } from './value-types.ts';
import type { Variables } from './variable.ts';

export const OPERATION_VARIABLES = {
  SSE_ENABLED: {
    description: 'Whether the deprecated HTTP+SSE transport is served.',
    example: 'true',
    schema: SWITCH.default(true),
  },
  SSE_KEEPALIVE_SECONDS: {
    description:
      'Seconds between the comments that are sent on an open SSE stream, so that no proxy cuts it while it is silent.',
    example: '15',
    schema: wholeNumber(15, 1, 3600),
  },
  KEEP_ALIVE_SECONDS: {
    description:
      'Seconds that an idle connection stays open. Must be longer than any proxy in front keeps its connections (nginx 60, Caddy 120, Google 600); otherwise the proxy may send a request on a closed one.',
    example: '620',
    schema: wholeNumber(620, 1, 3600),
  },
  SHUTDOWN_DELAY_SECONDS: {
    description:
      'Seconds after SIGTERM during which /ready answers 503 but all requests are still served, so that load balancers notice. Behind one, set 5.',
    example: '0',
    schema: wholeNumber(0, 0, 3600),
  },
  SHUTDOWN_GRACE_SECONDS: {
    description: 'Seconds after SHUTDOWN_DELAY_SECONDS in which running calls can finish.',
    example: '10',
    schema: wholeNumber(10, 0, 3600),
  },
  LOG_ADDRESSES: {
    description: 'Whether the log says from which address a refused request came.',
    example: 'true',
    schema: SWITCH.default(true),
  },
  LOG_LEVEL: {
    description: 'How much is logged: debug, info, warn, error or silent.',
    example: 'info',
    schema: z
      .string()
      .toLowerCase()
      .pipe(z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`))
      .default('info'),
  },
} as const satisfies Variables;

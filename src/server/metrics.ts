/** Wires `/metrics`, if it is configured; only then its modules are loaded. */
import type { Logger } from 'pino';
import { digestToken } from '../auth/digest.ts';
import type { MetricsConfig } from '../config/metrics.ts';
import type { Route } from '../http/context.ts';
import type { MetricsParts } from '../http/metrics/metrics-route.ts';
import type { McpDefinition } from '../mcp/server.ts';
import { readPackage } from '../package.ts';

/** What `/metrics` needs. */
export interface MetricsWiring extends Omit<MetricsParts, 'token' | 'byUser' | 'version' | 'inFlight'> {
  readonly config: { readonly metrics: MetricsConfig };
  readonly definition: Pick<McpDefinition, 'inFlight'>;
  readonly log: Logger;
}

/** Shorter tokens can be guessed. Characters. */
const SHORT = 20;

/** Makes the route; none without a METRICS_TOKEN. */
export async function openMetrics({
  config: {
    metrics: { token, byUser },
  },
  definition: { inFlight },
  log,
  ...parts
}: MetricsWiring): Promise<Route[]> {
  if (token === undefined) return [];
  const known = parts.verifier?.lookUp?.(digestToken(token));
  if (typeof known === 'object')
    log.warn(
      { userId: known.grant.user.userId, tokenId: known.grant.tokenId },
      'METRICS_TOKEN is also a user’s token: whoever reads the metrics can call tools as that user. Set it to what "npm run token -- secret" prints',
    );
  if (token.length < SHORT)
    log.warn(
      { characters: token.length },
      'METRICS_TOKEN is short: "npm run token -- secret" prints a long one',
    );
  const { createMetricsRoute } = await import('../http/metrics/metrics-route.ts');
  return [createMetricsRoute({ ...parts, ...readPackage(), inFlight, token, byUser })];
}

/** `/metrics`, for Prometheus and what reads its format, behind a bearer token of its own. `npm run drop -- metrics` takes it out. */
import { createAuthenticator } from '../../auth/authenticate.ts';
import { digestToken } from '../../auth/digest.ts';
import { createUserContext } from '../../auth/user.ts';
import type { TokenVerifier } from '../../auth/verifier.ts';
import { runInSlices } from '../../in-slices.ts';
import type { RequestContext, Route } from '../context.ts';
import { requireBearer } from '../gate/bearer-auth.ts';
import type { CountFailure } from '../gate/rate-limit.ts';
import { countCalls } from './call-counts.ts';
import { writeFamilies } from './families.ts';
import { measureProcess } from './process-numbers.ts';
import { readServer, type ServerPartsToRead } from './server-numbers.ts';

/** What the route is made from. */
export interface MetricsParts extends ServerPartsToRead {
  /** The one credential that opens it. */
  readonly token: string;
  readonly byUser: boolean;
  readonly countFailure: CountFailure;
}

/** Makes the route; from then on calls are counted. */
export function createMetricsRoute({ token, byUser, countFailure, ...parts }: MetricsParts): Route {
  const calls = countCalls({ byUser });
  const measured = measureProcess();
  const authenticator = createAuthenticator(onlyFor(token));
  const requireToken = requireBearer(authenticator, countFailure);
  const answer = async (ctx: RequestContext): Promise<void> => {
    const read = await readServer(parts);
    ctx.type = 'text/plain; version=0.0.4; charset=utf-8';
    ctx.body = await runInSlices(writeFamilies([...calls.families, ...read, ...measured.families]));
  };
  const show = async (ctx: RequestContext): Promise<void> =>
    void (await requireToken(ctx, () => answer(ctx)));
  return {
    path: '/metrics',
    methods: { GET: show, HEAD: show },
    // The route checks its own token above; users' tokens do not give access.
    access: 'public',
    isProbe: true,
    close() {
      calls.close();
      measured.close();
    },
  };
}

/** A verifier that knows this one token. */
function onlyFor(token: string): TokenVerifier {
  const digest = digestToken(token);
  const grant = Object.freeze({ user: createUserContext({ userId: 'metrics' }) });
  return {
    verify: (sent) => (digestToken(sent) === digest ? { ok: true, grant } : { ok: false, reason: 'unknown' }),
    isCurrent: () => true,
    hasValidToken: () => true,
  };
}

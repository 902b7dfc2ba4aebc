/** Every step of the smoke test in the order it runs; each is a check that can fail. */
import { connectSse, connectStateless } from './clients.ts';
import type { Target } from './http.ts';
import { checkIdle } from './idle.ts';
import { checkMcpRemote } from './mcp-remote.ts';
import { NotApplicable } from './outcome.ts';
import type { SmokeOptions } from './options.ts';
import { checkHealth, checkReady, checkTls, type Face, readFace } from './reachability.ts';
import { checkDiscovery, checkNoCredential, checkQueryCredential, checkWrongCredential } from './refusals.ts';
import { checkSession, checkTwoUsers, checkUnknownSession } from './sessions.ts';
import { checkHeartbeat, openSse } from './sse.ts';
import type { Steps } from './steps.ts';
import { callTools, listTools } from './tools.ts';

/** Runs all steps; stops where the rest could only repeat what is wrong. */
export async function runPlan(options: SmokeOptions, steps: Steps): Promise<void> {
  const { url, token, timeoutMs } = options;
  const target: Target = { url, token, timeoutMs };
  const health = await steps.run('health', 'Server answers on /health', () => checkHealth(target));
  if (health === undefined) return skipRest(steps);
  await steps.run('tls', 'Connection is encrypted', () => checkTls(target));
  await steps.run('ready', 'Server takes work (/ready)', () => checkReady(target));
  const face = await steps.run('page', 'Server describes itself (/)', () => readFace(target));
  if (face === undefined) return skipRest(steps);

  await runRefusals(target, face, options, steps);
  const tools = await steps.run('tools', 'Token opens GET /tools', () => listTools(target, face.authEnabled));
  if (tools === undefined) return skipRest(steps);
  await runTransports(target, face, tools.names, options, steps);
}

/** Step 2. */
async function runRefusals(target: Target, face: Face, options: SmokeOptions, steps: Steps): Promise<void> {
  await steps.run('no-credential', 'No credential is refused', () =>
    checkNoCredential(target, face, options),
  );
  await steps.run('wrong-credential', 'Wrong token is refused', () => checkWrongCredential(target, face));
  await steps.run('query-credential', 'Token in the query string is not read', () =>
    checkQueryCredential(target, face),
  );
  await steps.run('discovery', 'OAuth discovery is answered with JSON', () => checkDiscovery(target));
}

/** Steps 4 to 10. */
async function runTransports(
  target: Target,
  { sseEnabled }: Face,
  names: readonly string[],
  { token2, expectUser, heartbeatMs, timeoutMs, mcpRemote, allowHttp, idleMs }: SmokeOptions,
  steps: Steps,
): Promise<void> {
  // Whom the first transport shows is whom all others must show.
  const expected = { names, userId: expectUser };

  const stream = await steps.run('sse-stream', 'HTTP+SSE: first event comes at once', () => {
    if (!sseEnabled) throw sseOff();
    return openSse(target);
  });
  const overSse = await steps.run('sse-tools', 'HTTP+SSE: tools are listed and called', async () => {
    if (!sseEnabled) throw sseOff();
    if (stream === undefined) throw noStream();
    return callTools(await connectSse(target), expected);
  });
  expected.userId ??= overSse?.userId;
  const session = await steps.run('session', 'Streamable HTTP: a session from begin to end', () =>
    checkSession(target, expected),
  );
  expected.userId ??= session?.userId;
  await steps.run('stateless', 'Streamable HTTP 2026-07-28: without a session', async () =>
    callTools(await connectStateless(target), expected),
  );
  await steps.run('unknown-session', 'Unknown session gets 404', () =>
    checkUnknownSession(target, sseEnabled),
  );
  await steps.run('two-users', 'Two users are kept apart', () =>
    checkTwoUsers(target, token2, { names, sseEnabled }),
  );
  await steps.run('mcp-remote', 'mcp-remote connects, as in Claude Desktop', () =>
    checkMcpRemote(target, expected, { wanted: mcpRemote, allowHttp }),
  );
  // Late, since the stream has been open all along: what it has waited already need not be waited again.
  await steps.run('sse-heartbeat', 'HTTP+SSE: heartbeat comes through', async () => {
    if (!sseEnabled) throw sseOff();
    if (stream === undefined) throw noStream();
    return checkHeartbeat(stream, { heartbeatMs, timeoutMs });
  });
  stream?.reader.close();
  await steps.run('idle', 'Idle stream survives', () => checkIdle(target, idleMs, sseEnabled));
}

/** Says that there would have been more. */
async function skipRest(steps: Steps): Promise<void> {
  await steps.run('others', 'All other steps', () => {
    throw new NotApplicable('they need the one above');
  });
}

/** The reason to skip what needs the older transport. */
function sseOff(): NotApplicable {
  return new NotApplicable('HTTP+SSE is off (SSE_ENABLED=false)');
}

/** The reason to skip what needs the stream that did not open. */
function noStream(): NotApplicable {
  return new NotApplicable('there is no stream, see above');
}

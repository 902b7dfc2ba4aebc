/** The plan of the smoke test: its steps in the order they run, with when each applies, what it needs, and its check. */
import { checkBodySize } from './body-size.ts';
import { checkOrigin, checkSecurityHeaders } from './browser-guards.ts';
import { connectSse, connectStateless } from './clients.ts';
import { checkNearTokens, checkOtherHeaders, checkQueryCredential } from './credentials.ts';
import { checkHeartbeat } from './heartbeat.ts';
import type { Target } from './http.ts';
import { checkIdentity, checkCache, listTools, type ToolList } from './identity.ts';
import { checkIdle } from './idle.ts';
import { checkInstances, checkSseInstances } from './instances.ts';
import { checkMcpRemote } from './mcp-remote.ts';
import { Unreachable } from './outcome.ts';
import { isLocal, type SmokeOptions } from './options.ts';
import { checkEvents, openPostStream, openSessionStream } from './post-stream.ts';
import { type RawSession, openRawSession } from './raw-session.ts';
import {
  checkCertificatesAreChecked,
  checkHealth,
  checkReady,
  checkTls,
  type Face,
  readFace,
} from './reachability.ts';
import { checkRestart } from './restart.ts';
import { checkDiscovery, checkNoCredential, checkWrongCredential } from './refusals.ts';
import { discoverSignIn, type Discovered, type Registered, registerClient } from './sign-in.ts';
import { type Allowed, signInOnPage, useSignIn } from './sign-in-page.ts';
import { checkMessagesCredential, checkSessionCredential } from './session-credential.ts';
import { checkSession, checkUnknownSession } from './sessions.ts';
import { openSse, type SseStream } from './sse.ts';
import type { EventStreamReader } from './event-stream.ts';
import type { Passed, Step, Steps } from './steps.ts';
import { callTools, type Expectation } from './tools.ts';
import { checkTwoUsers } from './two-users.ts';

/** What a run has found out so far. Each part is set by the step that finds it. */
interface Run {
  readonly target: Target;
  readonly options: SmokeOptions;
  readonly hasPassed: (id: string) => boolean;
  /** Tells something to whoever runs the test. */
  readonly tell: (text: string) => void;
  isReachable: boolean;
  face: Face | undefined;
  tools: ToolList | undefined;
  discovered: Discovered | undefined;
  registered: Registered | undefined;
  allowed: Allowed | undefined;
  /** What calls must look like; the check of the first transport adds which tool tells its user. */
  expected: Expectation | undefined;
  sse: SseStream | undefined;
  session: RawSession | undefined;
  sessionStream: EventStreamReader | undefined;
  postStream: EventStreamReader | undefined;
}

/** A step of the plan. */
interface PlannedStep extends Step {
  /** The ids of the steps that must have passed, or been skipped. */
  readonly needs?: readonly string[];
  /** Why the step does not apply to this server or these options; false or undefined when it applies. */
  readonly unless?: (run: Run) => string | false | undefined;
  readonly check: (run: Run) => Promise<Passed>;
}

/** The value that an earlier step has found; throws when it has not. */
function known<T>(part: T | undefined): T {
  if (part === undefined) throw new Error('A step runs before the one that it needs.');
  return part;
}

/** Why steps about credentials do not apply. `no-credential` fails for a server that is open and should not be, so they run then. */
const authOff = ({ face, hasPassed }: Run): string | false =>
  face?.authEnabled === false && !hasPassed('no-credential') && 'authentication is off';
const meantOpen = ({ face, target, options }: Run): string | false =>
  face?.authEnabled === false &&
  (options.allowOpen || (isLocal(target.url) && target.token === undefined)) &&
  'authentication is off';
const sseOff = ({ face }: Run): string | false =>
  face?.sseEnabled === false && 'HTTP+SSE is off (SSE_ENABLED=false)';
/** A token opens nothing more on a server without authentication. */
const noToken = (run: Run): string | false =>
  authOff(run) || (run.target.token === undefined && run.face?.authEnabled === false && 'there is no token');

/** The server ends the stream of a caller without tools at once, since there are no changes to tell of. */
const noTools = ({ tools }: Run): string | false =>
  tools?.names.length === 0 && 'there are no tools, so no changes are announced';

/** Skips the step when the options do not say how many instances there are. */
const noInstances = ({ options }: Run): string | false =>
  options.instances === undefined && '--instances was not given';

const signInNotAsked = ({ options }: Run): string | false => !options.signIn && '--sign-in was not given';
const signInElsewhere = (run: Run): string | false =>
  signInNotAsked(run) || (run.discovered?.isHere === false && 'users sign in at another server');

const TALKS = ['tools'];

/** The steps, in their order. */
export const PLAN: readonly PlannedStep[] = [
  { id: 'certificates', title: 'Certificates are checked here', unless: ({ target }) => target.url.protocol === 'http:' && plainHttp(target), check: ({ options }) => checkCertificatesAreChecked(options) },
  { id: 'health', title: 'Server answers on /health', needs: ['certificates'], check: ({ target }) => checkHealth(target) },
  { id: 'tls', title: 'Connection is encrypted', needs: ['health'], unless: ({ target }) => target.url.protocol === 'http:' && plainHttp(target), check: ({ target }) => checkTls(target) },
  { id: 'ready', title: 'Server takes work (/ready)', needs: ['health'], check: ({ target }) => checkReady(target) },
  { id: 'page', title: 'Server describes itself (/)', needs: ['health'], check: async (run) => (run.face = await readFace(run.target)) },
  { id: 'no-credential', title: 'No credential is refused', needs: ['page'], unless: meantOpen, check: (run) => checkNoCredential(run.target, known(run.face)) },
  { id: 'wrong-credential', title: 'Wrong token is refused', needs: ['page'], unless: authOff, check: (run) => checkWrongCredential(run.target, known(run.face)) },
  { id: 'other-headers', title: 'Wrong API key and Basic credential are refused', needs: ['page'], unless: authOff, check: (run) => checkOtherHeaders(run.target, known(run.face)) },
  { id: 'query-credential', title: 'Token in the query string is not read', needs: ['page'], unless: authOff, check: (run) => checkQueryCredential(run.target, known(run.face)) },
  { id: 'discovery', title: 'OAuth discovery is answered with JSON', needs: ['page'], check: (run) => checkDiscovery(run.target, known(run.face)) },
  { id: 'security-headers', title: 'Security headers arrive', needs: ['page'], check: ({ target }) => checkSecurityHeaders(target) },
  { id: 'origin', title: 'Pages of other origins are refused', needs: ['page'], check: ({ target }) => checkOrigin(target) },
  { id: 'tools', title: 'Token opens GET /tools', needs: ['page'], check: async (run) => (run.tools = await listTools(run.target, known(run.face).authEnabled)) },
  { id: 'near-tokens', title: 'Nearly right tokens are refused', needs: TALKS, unless: noToken, check: ({ target }) => checkNearTokens(target) },
  { id: 'cache', title: 'No cache gives the answer of one user to others', needs: TALKS, unless: noToken, check: ({ target }) => checkCache(target) },
  { id: 'identity', title: 'Server knows who asks', needs: TALKS, check: async (run) => {
    const { names, user } = known(run.tools);
    const passed = await checkIdentity(user, run.options.expectUser);
    run.expected = { names, user, tellers: new Set() };
    return passed;
  } },
  { id: 'sse-stream', title: 'HTTP+SSE: first event comes at once', needs: TALKS, unless: sseOff, check: async (run) => (run.sse = await openSse(run.target)) },
  { id: 'sse-events', title: 'HTTP+SSE: events come at once, unchanged', needs: ['sse-stream'], unless: sseOff, check: (run) => checkEvents(run.target, known(run.sse)) },
  { id: 'sse-credential', title: 'HTTP+SSE: every message needs the credential', needs: ['sse-stream'], unless: (run) => sseOff(run) || authOff(run), check: (run) => checkMessagesCredential(run.target, known(run.sse)) },
  { id: 'sse-tools', title: 'HTTP+SSE: tools are listed and called', needs: ['sse-stream', 'identity'], unless: sseOff, check: async (run) => callTools(await connectSse(run.target), known(run.expected)) },
  { id: 'raw-session', title: 'Streamable HTTP: a session opens', needs: TALKS, check: async (run) => (run.session = await openRawSession(run.target)) },
  { id: 'session-stream', title: 'Streamable HTTP: a session has its stream', needs: ['raw-session'], check: async (run) => {
    const opened = await openSessionStream(run.target, known(run.session));
    run.sessionStream = opened.reader;
    return opened;
  } },
  { id: 'session-credential', title: 'Streamable HTTP: every request needs the credential', needs: ['raw-session'], unless: authOff, check: (run) => checkSessionCredential(run.target, known(run.session)) },
  { id: 'body-size', title: 'Large messages get through', needs: ['raw-session'], check: (run) => checkBodySize(run.target, known(run.session), run.options.maxBodyBytes) },
  { id: 'session', title: 'Streamable HTTP: a session from beginning to end', needs: ['identity'], check: (run) => checkSession(run.target, known(run.expected)) },
  { id: 'stateless', title: 'Streamable HTTP 2026-07-28: without a session', needs: ['identity'], check: async (run) => callTools(await connectStateless(run.target), known(run.expected)) },
  { id: 'post-stream', title: 'Streamable HTTP: answers that are streams come piece by piece', needs: TALKS, unless: noTools, check: async (run) => {
    const opened = await openPostStream(run.target);
    run.postStream = opened.reader;
    return opened;
  } },
  { id: 'unknown-session', title: 'Unknown session gets 404', needs: TALKS, check: (run) => checkUnknownSession(run.target, known(run.face).sseEnabled) },
  { id: 'two-users', title: 'Two users are kept apart', needs: ['identity'], unless: ({ options }) => options.token2 === undefined && 'no --token2 was given: whether users are kept apart is not known', check: (run) => checkTwoUsers(run.target, run.options.token2, { expected: known(run.expected), sseEnabled: known(run.face).sseEnabled }) },
  { id: 'mcp-remote', title: 'mcp-remote connects, as in Claude Desktop', needs: ['identity'], unless: ({ options }) => !options.mcpRemote && '--mcp-remote was not given', check: (run) => checkMcpRemote(run.target, known(run.expected), run.options.allowHttp) },
  { id: 'sign-in', title: 'Sign-in: clients find out how', needs: TALKS, unless: signInNotAsked, check: async (run) => (run.discovered = await discoverSignIn(run.target)) },
  { id: 'sign-in-client', title: 'Sign-in: a client registers, and a foreign redirect_uri is refused', needs: ['sign-in'], unless: signInElsewhere, check: async (run) => (run.registered = await registerClient(run.target, known(run.discovered))) },
  { id: 'sign-in-page', title: 'Sign-in: the page takes the token and leads back', needs: ['sign-in-client'], unless: signInElsewhere, check: async (run) => (run.allowed = await signInOnPage(run.target, known(run.discovered), known(run.registered))) },
  { id: 'sign-in-tokens', title: 'Sign-in: its tokens call, are refreshed, and end', needs: ['sign-in-page'], unless: signInElsewhere, check: (run) => useSignIn(run.target, known(run.discovered), { ...known(run.registered), ...known(run.allowed) }) },
  // Late in the plan: these streams have been open since, so that part of the wait is over already.
  { id: 'sse-heartbeat', title: 'HTTP+SSE: heartbeat comes through', needs: ['sse-stream'], unless: sseOff, check: (run) => checkHeartbeat(known(run.sse).reader, run.options) },
  { id: 'session-heartbeat', title: "Streamable HTTP: heartbeat of a session's stream comes through", needs: ['session-stream'], check: (run) => checkHeartbeat(known(run.sessionStream), run.options) },
  { id: 'post-heartbeat', title: 'Streamable HTTP: heartbeat of a streamed answer comes through', needs: ['post-stream'], unless: noTools, check: (run) => checkHeartbeat(known(run.postStream), run.options) },
  { id: 'instances', title: 'Streamable HTTP: every instance answers a session', needs: TALKS, unless: noInstances, check: (run) => checkInstances(run.target, known(run.options.instances)) },
  { id: 'sse-instances', title: 'HTTP+SSE: every instance answers a session', needs: ['sse-stream'], unless: (run) => noInstances(run) || sseOff(run), check: (run) => checkSseInstances(run.target, known(run.sse), known(run.options.instances)) },
  { id: 'idle', title: 'Idle streams survive', needs: TALKS, unless: ({ options }) => options.idleMs === undefined && '--idle was not given', check: ({ target, options, face }) => checkIdle(target, { ...options, idleMs: known(options.idleMs), sseEnabled: known(face).sseEnabled }) },
  // Last, since a restart ends every stream.
  { id: 'restart', title: 'A session outlives a restart', needs: ['raw-session'], unless: ({ options }) => !options.restart && '--restart was not given', check: (run) => checkRestart(run.target, run.tell) },
]; // prettier-ignore

/** Why a certificate is not checked on a connection that is not encrypted. */
function plainHttp({ url }: Target): string {
  if (isLocal(url)) return 'plain HTTP within this machine';
  return 'plain HTTP, as --allow-http permits: anybody on the way can read the token';
}

/** Runs all steps; those whose needs have not passed are blocked. Returns whether any answer came. */
export async function runPlan(
  options: SmokeOptions,
  steps: Steps,
  tell: Run['tell'],
): Promise<{ readonly isReachable: boolean }> {
  const { url, token, timeoutMs } = options;
  const run: Run = {
    target: { url, token, timeoutMs },
    options,
    hasPassed: (id) => steps.hasPassed(id),
    tell,
    isReachable: true,
    face: undefined,
    tools: undefined,
    discovered: undefined,
    registered: undefined,
    allowed: undefined,
    expected: undefined,
    sse: undefined,
    session: undefined,
    sessionStream: undefined,
    postStream: undefined,
  };
  try {
    for (const step of PLAN) await runStep(step, run, steps);
  } finally {
    run.sse?.reader.close();
    run.sessionStream?.close();
    run.postStream?.close();
    await run.session?.end();
  }
  return { isReachable: run.isReachable };
}

/** Runs one step, or records why it does not run. */
async function runStep(step: PlannedStep, run: Run, steps: Steps): Promise<void> {
  const { needs = [], unless, check } = step;
  const reason = unless?.(run);
  if (typeof reason === 'string') return steps.pass(step, 'skipped', reason);
  const missing = needs.find((id) => !steps.hasPassed(id) && !wasSkipped(id, steps));
  if (missing !== undefined) return steps.pass(step, 'blocked', `it needs "${titleOf(missing)}"`);
  await steps.run(step, () =>
    check(run).catch((error: unknown) => {
      // Only `/health` decides whether the server can be reached; a later connection error is a failed check.
      if (error instanceof Unreachable && step.id === 'health') run.isReachable = false;
      throw error;
    }),
  );
}

/** Whether a step was skipped because it does not apply: then those that need it still run. */
function wasSkipped(id: string, { results }: Steps): boolean {
  return results.some((result) => result.id === id && result.status === 'skipped');
}

/** The title of a step. */
function titleOf(id: string): string {
  return PLAN.find((step) => step.id === id)?.title ?? id;
}

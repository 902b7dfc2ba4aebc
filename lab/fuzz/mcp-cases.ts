/** Cases about MCP: bodies of every revision, and sessions of both transports, used rightly and wrongly. */
import { type Actor, Violation } from './actor.ts';
import { toBytes } from './http-text.ts';
import { mutate, toJsonText } from './json-text.ts';
import {
  anyBody,
  ENVELOPE,
  initialize,
  SESSION_REVISIONS,
  STATELESS_REVISION,
  toolCall,
} from './messages.ts';
import { isObject, tagOf, type Who } from './oracle.ts';
import type { Random } from './random.ts';
import {
  answersOn, ask, checkSession, checkSse, checkStateless, endSession, headersOf, openSession, openSse, post,
  type Session, type SseSession, statelessHeaders, type User,
} from './talk.ts'; // prettier-ignore

/** Sends a body without a session. */
export async function looseBodyCase(random: Random, actor: Actor): Promise<void> {
  const who = random.pick<Who>(['ada', 'bob', 'ada', 'bob', 'nobody']);
  const body = anyBody(random, tagOf(actor.caseNumber, who));
  await ask(actor, who, post(actor, who, body));
}

/** Sends a body of the revision without sessions, with headers that match it or not. */
export async function statelessCase(random: Random, actor: Actor): Promise<void> {
  const who = random.pick<User>(['ada', 'bob']);
  const body = anyBody(random, tagOf(actor.caseNumber, who), { stateless: true });
  const request = post(actor, who, body);
  const [method, name] = namesIn(body);
  const right = statelessHeaders(method, name);
  const headers = random.weighted<() => readonly (readonly [string, string])[]>([
    [6, () => right],
    [1, () => right.slice(random.int(1, 2))],
    [1, () => right.map(([key, value]) => [key, random.chance(0.5) ? value : random.pick(WRONG_VALUES)])],
    [1, () => [...right, ['Mcp-Session-Id', random.pick(WRONG_VALUES)]]],
    [1, () => [...right, ['Mcp-Param-Message', 'x'], [`Mcp-Param-${'y'.repeat(200)}`, '=?base64?eA==?=']]],
  ])(); // prettier-ignore
  await ask(actor, who, { ...request, headers: [...request.headers, ...headers] });
  if (random.chance(0.1)) await checkStateless(actor, who);
}

/** Sends a tool call that is right except for its arguments. */
export async function argumentsCase(random: Random, actor: Actor): Promise<void> {
  const who = random.pick<User>(['ada', 'bob']);
  const name = random.pick(['echo_message', 'get_greeting', 'whoami']);
  const right = { [name === 'echo_message' ? 'message' : 'name']: tagOf(actor.caseNumber, who) };
  const isStateless = random.chance(0.7);
  const input = random.chance(0.9) ? mutate(random, right) : right;
  const params = { name, arguments: input, ...(isStateless && { _meta: ENVELOPE }) };
  const body = Buffer.from(toJsonText({ jsonrpc: '2.0', id: 'arguments', method: 'tools/call', params }));
  if (isStateless) {
    const request = post(actor, who, body);
    await ask(actor, who, {
      ...request,
      headers: [...request.headers, ...statelessHeaders('tools/call', name)],
    });
    return;
  }
  const session = await openSession(actor, who, random.pick(SESSION_REVISIONS));
  await ask(actor, who, post(actor, who, body, { session: session.id }));
  await checkSession(actor, session);
  await endSession(actor, session);
}

/** Opens a session of Streamable HTTP and misuses it; at the end it must still serve its user. */
export async function sessionCase(random: Random, actor: Actor): Promise<void> {
  const [user, other] = random.pick<[User, User]>([['ada', 'bob'], ['bob', 'ada']]); // prettier-ignore
  const revision = random.pick(SESSION_REVISIONS);
  const session = await openSession(actor, user, revision);
  for (let step = random.int(1, 5); step > 0; step -= 1)
    await misuse(random, actor, { session, other, revision });
  await checkSession(actor, session);
  await endSession(actor, session);
  const gone = await ask(actor, user, post(actor, user, toolCall(1, 'whoami', {}), { session: session.id }));
  if (gone.status !== 404) throw new Violation(`an ended session was answered ${gone.status}`);
}

/** Opens a session of HTTP+SSE and misuses it; each message that it accepts must be answered on its stream. */
export async function sseCase(random: Random, actor: Actor): Promise<void> {
  const [user, other] = random.pick<[User, User]>([['ada', 'bob'], ['bob', 'ada']]); // prettier-ignore
  const session = await openSse(actor, user);
  const target = `/messages?sessionId=${session.id}`;
  const due = new Set<unknown>();
  for (let step = random.int(1, 5); step > 0; step -= 1) {
    const body = anyBody(random, tagOf(actor.caseNumber, user));
    const { status } = await ask(actor, user, post(actor, user, body, { target }));
    // A cancellation may hit any of the requests, so that no answer is due any more.
    if (body.includes('cancelled')) due.clear();
    else if (status === 202) for (const id of requestIdsOf(body)) due.add(id);
    const foreign = random.pick<Who>([other, 'nobody']);
    const refusal = await ask(actor, foreign, post(actor, foreign, toolCall(1, 'whoami', {}), { target }));
    expectStatus(
      refusal.status,
      foreign === 'nobody' ? 401 : 404,
      `a POST of ${foreign} to the SSE session of ${user}`,
    );
  }
  await checkSse(actor, session);
  await expectAnswers(session, due);
  session.stream.close();
}

/** Does one of the things that can happen to a session. */
async function misuse(
  random: Random,
  actor: Actor,
  {
    session,
    other,
    revision,
  }: { readonly session: Session; readonly other: User; readonly revision: string },
): Promise<void> {
  const { user, id } = session;
  const tag = tagOf(actor.caseNumber, user);
  const call = toolCall('echo', 'echo_message', { message: `${tag} ☃ \u0000` });
  const named = (who: Who, body: Buffer | object, to = id) =>
    ask(actor, who, post(actor, who, body, { session: to }));
  await random.weighted<() => Promise<void>>([
    [8, async () => void (await named(user, anyBody(random, tag)))],
    [2, async () => expectStatus((await named(other, call)).status, 404, `a POST of ${other} to a session of ${user}`)],
    [1, async () => expectStatus((await named('nobody', call)).status, 401, 'a POST of nobody to a session')],
    [1, async () => {
      const method = random.pick(['GET', 'DELETE']);
      const refusal = await ask(actor, other, { method, target: '/mcp', headers: headersOf(actor, other, id) });
      expectStatus(refusal.status, 404, `a ${method} of ${other} to a session of ${user}`);
    }],
    [1, async () => expectStatus((await named(user, call, random.pick(['__proto__', 'x', `${id}x`, id.toUpperCase().replace('-', '_')]))).status, 404, 'an unknown session')],
    [1, async () => expectStatus((await named(user, initialize(7, revision))).status, 400, 'a second initialize')],
    [2, async () => {
      const answers = await Promise.all(Array.from({ length: random.int(2, 5) }, async (_, at) => {
        const message = `${tag} number ${at}`;
        const { body } = await named(user, toolCall(`parallel-${at}`, 'echo_message', { message }));
        return body.includes(JSON.stringify(message)) && body.includes(`"parallel-${at}"`);
      }));
      if (answers.includes(false)) throw new Violation('one of several calls at once got another answer');
    }],
    [1, async () => {
      const stream = await actor.open({ who: user, stays: true }, toBytes({ method: 'GET', target: '/mcp', headers: headersOf(actor, user, id) }));
      await stream.until(({ status }) => status === 200, 'the stream of the session');
      if (random.chance(0.5)) stream.close();
    }],
    [1, async () => {
      const { body } = await named(user, call);
      if (!body.includes(JSON.stringify(`${tag} ☃ \u0000`))) throw new Violation('an echo is not what was sent');
    }],
  ])(); // prettier-ignore
}

/** Fails unless the status is the expected one. */
function expectStatus(status: number, due: number, what: string): void {
  if (status !== due) throw new Violation(`${what} was answered ${status}, not ${due}`);
}

/** Waits until each of these ids has been answered on a session's stream. */
async function expectAnswers({ stream }: SseSession, due: ReadonlySet<unknown>): Promise<void> {
  const missing = (body: Buffer): unknown[] => [...due].filter((id) => !answersOn({ body }).has(id));
  try {
    await stream.until(({ body }) => missing(body).length === 0, 'every answer');
  } catch (error) {
    const left = missing(stream.response()?.body ?? Buffer.alloc(0));
    throw left.length > 0
      ? new Violation(`accepted, never answered: ${JSON.stringify(left).slice(0, 200)}`)
      : error;
  }
}

/** The id of the request in a body, as a list; empty when the body is no request. */
function requestIdsOf(body: Buffer): unknown[] {
  const value: unknown = JSON.parse(body.toString().replace(/^\ufeff/, ''));
  return isObject(value) && 'method' in value && 'id' in value ? [value['id']] : [];
}

/** Ends the sessions that a fuzzed `initialize` has opened in a case. */
export async function endLeftovers(actor: Actor): Promise<void> {
  for (const id of actor.leftSessions()) {
    const user = actor.target.secrets.sessions.get(id);
    if (user === undefined || user === 'nobody') continue;
    const request = { method: 'DELETE', target: '/mcp', headers: headersOf(actor, user, id) };
    await actor.exchange({ requests: [{ who: user }], pieces: [toBytes(request)], due: 'answers' });
  }
}

/** The method and the name in a body, for the headers that repeat them. */
function namesIn(body: Buffer): [string, string?] {
  const text = body.toString('latin1');
  const find = (key: string) => new RegExp(`"${key}":"([\\x20-\\x7e]{1,80}?)"`).exec(text)?.[1];
  const name = find('name') ?? find('uri');
  return name === undefined ? [find('method') ?? 'ping'] : [find('method') ?? 'ping', name];
}

const WRONG_VALUES = [
  STATELESS_REVISION,
  '2025-06-18',
  '1999-01-01',
  'tools/list',
  'echo_message',
  '__proto__',
  '',
  '\xff',
  'x'.repeat(500),
];

/** Valid requests and sessions: what cases begin with, deviate from, and check at their end. */
import type { Actor, OpenConnection, Request } from './actor.ts';
import { Violation } from './actor.ts';
import { type Response, parseEventStream } from './http-reader.ts';
import { type HttpRequest, toBytes } from './http-text.ts';
import { ENVELOPE, initialize, STATELESS_REVISION, toolCall } from './messages.ts';
import { isObject, type Who } from './oracle.ts';

/** A user with a token. */
export type User = Exclude<Who, 'nobody'>;

/** A session, opened with a valid handshake. */
export interface Session {
  readonly user: User;
  readonly id: string;
}

/** A session of HTTP+SSE, and its stream. */
export interface SseSession extends Session {
  readonly stream: OpenConnection;
}

/** The headers of a client's request. */
export function headersOf({ target }: Actor, who: Who, session?: string): HttpRequest['headers'] {
  return [
    ['Host', `${target.host}:${target.port}`],
    ...(who === 'nobody' ? [] : [['Authorization', `Bearer ${target.secrets.tokens[who]}`] as const]),
    ['Accept', 'application/json, text/event-stream'],
    ...(session === undefined ? [] : [['Mcp-Session-Id', session] as const]),
  ];
}

/** Makes a POST as clients send it. */
export function post(
  actor: Actor,
  who: Who,
  body: Buffer | object,
  { target = '/mcp', session }: { target?: string; session?: string } = {},
): HttpRequest {
  const headers = [...headersOf(actor, who, session), ['Content-Type', 'application/json'] as const];
  return {
    method: 'POST',
    target,
    headers,
    body: Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body)),
  };
}

/** What is known about the answer to a request with this body. */
export function requestFor(who: Who, body: Buffer): Request {
  // A body that may ask for a stream of changes may get one, which stays open.
  return { who, ids: idsOf(body), stays: body.includes('listen') };
}

/** The ids of the messages in a body, parsed as the server should parse it. */
function idsOf(body: Buffer): ReadonlySet<unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    return new Set(
      (Array.isArray(value) ? value : [value]).map((item: unknown) =>
        isObject(item) ? item['id'] : undefined,
      ),
    );
  } catch {
    return new Set();
  }
}

/** Sends one request, and returns its answer. */
export async function ask(actor: Actor, who: Who, request: HttpRequest): Promise<Response> {
  const known = request.body === undefined ? { who } : requestFor(who, request.body);
  const [response] = await actor.exchange({ requests: [known], pieces: [toBytes(request)], due: 'answers' });
  if (response === undefined) throw new Violation('no answer');
  return response;
}

/** Opens a session of Streamable HTTP, and completes the handshake. */
export async function openSession(actor: Actor, user: User, revision: string): Promise<Session> {
  const opened = await ask(actor, user, post(actor, user, initialize('open', revision)));
  const id = opened.headers.get('mcp-session-id')?.[0];
  if (opened.status !== 200 || id === undefined)
    throw new Violation(`initialize was answered ${opened.status}`);
  await ask(
    actor,
    user,
    post(actor, user, { jsonrpc: '2.0', method: 'notifications/initialized' }, { session: id }),
  );
  return { user, id };
}

/** Ends a session, so that a long run does not reach the limits of sessions. */
export async function endSession(actor: Actor, { user, id }: Session): Promise<void> {
  const { status } = await ask(actor, user, {
    method: 'DELETE',
    target: '/mcp',
    headers: headersOf(actor, user, id),
  });
  if (status !== 200) throw new Violation(`DELETE of an open session was answered ${status}`);
}

/** Calls `whoami` in a session, which must answer, whatever was sent before. */
export async function checkSession(actor: Actor, { user, id }: Session): Promise<void> {
  const { status, body } = await ask(
    actor,
    user,
    post(actor, user, toolCall('control', 'whoami', {}), { session: id }),
  );
  checkWhoami(actor, user, status, body.toString());
}

/** Calls `whoami` without a session. */
export async function checkStateless(actor: Actor, user: User): Promise<void> {
  const { status, body } = await ask(actor, user, statelessCall(actor, user, 'whoami', {}));
  checkWhoami(actor, user, status, body.toString());
}

/** Makes a tool call of the revision without sessions. */
export function statelessCall(actor: Actor, who: Who, name: string, input: object): HttpRequest {
  const params = { name, arguments: input, _meta: ENVELOPE };
  const request = post(actor, who, { jsonrpc: '2.0', id: 'control', method: 'tools/call', params });
  return { ...request, headers: [...request.headers, ...statelessHeaders('tools/call', name)] };
}

/** The headers that repeat parts of a stateless request's body. */
export function statelessHeaders(method: string, name?: string): HttpRequest['headers'] {
  const named = name === undefined ? [] : [['Mcp-Name', name] as const];
  return [['MCP-Protocol-Version', STATELESS_REVISION], ['Mcp-Method', method], ...named];
}

/** Opens a session of HTTP+SSE. */
export async function openSse(actor: Actor, user: User): Promise<SseSession> {
  const headers = headersOf(actor, user);
  const stream = await actor.open(
    { who: user, stays: true },
    toBytes({ method: 'GET', target: '/sse', headers }),
  );
  const opened = await stream.until(({ body }) => body.includes('\n\n'), 'the endpoint event');
  const id = /sessionId=([\w-]+)/.exec(opened.body.toString())?.[1];
  if (id === undefined) throw new Violation(`GET /sse was answered ${opened.status}`);
  return { user, id, stream };
}

/** Calls `whoami` in a session of HTTP+SSE, and waits for the answer on its stream. */
export async function checkSse(actor: Actor, { user, id, stream }: SseSession): Promise<void> {
  const { status } = await ask(
    actor,
    user,
    post(actor, user, toolCall('control', 'whoami', {}), { target: `/messages?sessionId=${id}` }),
  );
  if (status !== 202) throw new Violation(`a call on an open SSE session was answered ${status}`);
  const { body } = await stream.until(
    (response) => answersOn(response).has('control'),
    'the answer to the control call',
  );
  checkWhoami(actor, user, 200, JSON.stringify(answersOn({ body }).get('control')));
}

/** The responses on a stream, by id. */
export function answersOn({ body }: Pick<Response, 'body'>): Map<unknown, unknown> {
  const messages = parseEventStream(body.toString()).filter(({ event }) => event === 'message');
  const parsed = messages.map(({ data }) => JSON.parse(data) as unknown).filter(isObject);
  return new Map(
    parsed.filter((message) => !('method' in message)).map((message) => [message['id'], message]),
  );
}

/** Checks that the answer of `whoami` names the user who asked. */
export function checkWhoami({ target }: Actor, user: User, status: number, text: string): void {
  const [userId] = target.secrets.identities[user];
  if (status !== 200 || !text.includes(`"userId":"${userId}"`))
    throw new Violation(`whoami of ${user} was answered ${status} ${text.slice(0, 300)}`);
}

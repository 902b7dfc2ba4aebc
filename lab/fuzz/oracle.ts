/** The invariants of the fuzzer: what must hold for every answer, whatever the request was. */
import { createHash } from 'node:crypto';
import { parseEventStream, type Response } from './http-reader.ts';

/** The sender of a request. `nobody` sends no valid token. */
export type Who = 'ada' | 'bob' | 'nobody';

/** What the oracle knows about the run. */
export interface Secrets {
  readonly tokens: Readonly<Record<Exclude<Who, 'nobody'>, string>>;
  /** Text that only the answers to this user may contain: names and ids from the token file. */
  readonly identities: Readonly<Record<Exclude<Who, 'nobody'>, readonly string[]>>;
  /** The user of each session, by its full id. */
  readonly sessions: Map<string, Who>;
}

/** The facts about a request on which its answer depends. */
export interface Asked {
  readonly who: Who;
  readonly caseNumber: number;
  readonly isHead: boolean;
  /** The JSON-RPC ids that an answer may have; undefined when that is not known. */
  readonly ids: ReadonlySet<unknown> | undefined;
  /** Whether the request must be refused, because it was made so that no server may accept it. */
  readonly mustRefuse: boolean;
}

/**
 * Text of one user and one case, which may be in the answers to these and nowhere else. It ends with a checksum: a case that changes a
 * byte of its own tag must not make the tag of another.
 */
export function tagOf(caseNumber: number, who: Who): string {
  const check = createHash('sha256').update(`${caseNumber} ${who}`).digest('hex').slice(0, 8);
  return `canary-${caseNumber}-${who}-${check}`;
}

const TAG = /canary-(\d+)-(ada|bob|nobody)-[0-9a-f]{8}/g;

/** Matches what may be the id of a session: a UUID, or a sealed value. */
const ID = /[\w-]{36,}/g;

/** Where a sign-in may redirect to: a program on the user's own machine, or a vendor's callback. */
const CALLBACK = /^(http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?[/?]|https:\/\/claude\.ai\/api\/)/;

/** The problem with an answer; undefined when there is none. */
export function problemOf(response: Response, asked: Asked, secrets: Secrets): string | undefined {
  const { status, headers } = response;
  const text = response.body.toString('latin1');
  const heads = [...headers].map(([name, values]) => `${name}: ${values.join()}`).join('\n');
  noteSessions(response, asked.who, secrets);
  if (status >= 500) return `status ${status}: ${text.slice(0, 200)}`;
  if (asked.mustRefuse && status < 400)
    return `status ${status} where a refusal is due: ${text.slice(0, 200)}`;
  return (
    badHeader(headers) ??
    leakIn(`${heads}\n${response.body.toString()}`, asked, secrets) ??
    (asked.isHead ? undefined : problemOfBody(response, asked))
  );
}

/** Records the session ids that an answer assigns, with their user. */
function noteSessions({ headers, isStream, body }: Response, who: Who, { sessions }: Secrets): void {
  const id = headers.get('mcp-session-id')?.[0];
  if (id !== undefined && !sessions.has(id)) sessions.set(id, who);
  if (!isStream) return;
  const endpoint = /sessionId=([\w-]{36,})/.exec(body.subarray(0, 400).toString('latin1'))?.[1];
  if (endpoint !== undefined && !sessions.has(endpoint)) sessions.set(endpoint, who);
}

/** The data of another user in a text, in words; undefined when there is none. */
function leakIn(text: string, { who, caseNumber }: Pick<Asked, 'who' | 'caseNumber'>, secrets: Secrets) {
  for (const [owner, token] of Object.entries(secrets.tokens))
    if (text.includes(token)) return `the token of ${owner} in an answer to ${who}`;
  for (const [owner, words] of Object.entries(secrets.identities))
    if (owner !== who && words.some((word) => text.includes(word)))
      return `data of ${owner} in an answer to ${who}`;
  for (const [tag, number, owner] of text.matchAll(TAG)) {
    const isTag = tag === tagOf(Number(number), toWho(owner));
    if (isTag && (owner !== who || Number(number) !== caseNumber))
      return `${tag} in an answer to ${who} of case ${caseNumber}`;
  }
  for (const [id] of text.matchAll(ID)) {
    const owner = secrets.sessions.get(id) ?? secrets.sessions.get(id.toLowerCase());
    if (owner !== undefined && owner !== who) return `a session id of ${owner} in an answer to ${who}`;
  }
  return undefined;
}

/** The sender that a tag names. */
function toWho(owner: string | undefined): Who {
  return owner === 'ada' || owner === 'bob' ? owner : 'nobody';
}

/** A header that must not be there, or not more than once. */
function badHeader(headers: Response['headers']): string | undefined {
  const doubled = [...headers].find(([name, values]) => values.length > 1 && name !== 'vary');
  if (doubled !== undefined) return `the header ${doubled[0]} stands twice`;
  const location = headers.get('location')?.[0];
  if (location !== undefined && !CALLBACK.test(location)) return `a redirect to ${location.slice(0, 200)}`;
  if (headers.has('set-cookie')) return 'a cookie';
  return headers.has('x-powered-by') ? 'the header x-powered-by' : undefined;
}

/** What is wrong with a body, which must match its media type and the protocol. */
function problemOfBody(
  { headers, body, isStream, status, complete }: Response,
  asked: Asked,
): string | undefined {
  const type = headers.get('content-type')?.[0]?.split(';')[0];
  const text = decode(body);
  if (text === undefined && complete) return 'a body that is not UTF-8';
  if (type === undefined)
    return body.length === 0 ? undefined : `a body without a media type (status ${status})`;
  if (asked.who === 'nobody' && isStream) return 'an event stream for nobody';
  if (isStream) return problemOfStream(text ?? '', asked);
  if (type === 'text/plain')
    return ['', 'Accepted'].includes(text ?? '') ? undefined : `plain text: ${text?.slice(0, 80)}`;
  if (type === 'text/html')
    return text?.startsWith('<!doctype html>') === true ? undefined : 'HTML that is no page';
  if (type === 'text/css') return undefined;
  if (type !== 'application/json') return `the media type ${type}`;
  if (!complete) return undefined;
  return problemOfJson(text ?? '', asked);
}

/** Every JSON answer that is no refusal has one of these members; that of `/revoke` is empty. */
const MEMBERS = ['tools', 'status', 'transports', 'client_id', 'access_token', 'issuer', 'resource'];

/** What is wrong with a JSON body. */
function problemOfJson(text: string, asked: Asked): string | undefined {
  const value = parse(text);
  if (value === undefined) return `not JSON: ${text.slice(0, 80)}`;
  if (Array.isArray(value))
    return value.map((item) => problemOfMessage(item, asked)).find((found) => found !== undefined);
  if (!isObject(value)) return 'JSON that is no object';
  if ('jsonrpc' in value) return problemOfMessage(value, asked);
  const isRefusal = typeof value['error'] === 'string' && typeof value['error_description'] === 'string';
  const isOther = Object.keys(value).length === 0 || MEMBERS.some((name) => value[name] !== undefined);
  if (!isRefusal && !isOther) return `JSON of no known shape: ${text.slice(0, 80)}`;
  if (Array.isArray(value['tools']) && asked.who === 'nobody') return 'the tools for nobody';
  return undefined;
}

/** What is wrong with an event stream, as far as it has arrived. */
function problemOfStream(text: string, asked: Asked): string | undefined {
  let frames;
  try {
    frames = parseEventStream(text);
  } catch (error) {
    return String(error);
  }
  for (const { event, data } of frames) {
    if (event === 'endpoint') {
      if (!/^\/messages\?sessionId=[\w-]{36,}$/.test(data))
        return `an endpoint event with ${data.slice(0, 80)}`;
      continue;
    }
    const message = parse(data);
    if (event !== 'message' || !isObject(message))
      return `an event that is no message: ${event} ${data.slice(0, 80)}`;
    const problem = 'method' in message ? undefined : problemOfMessage(message, asked);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** What is wrong with a JSON-RPC response. */
function problemOfMessage(message: unknown, { who, ids }: Asked): string | undefined {
  if (who === 'nobody') return 'a JSON-RPC answer for nobody';
  if (!isObject(message) || message['jsonrpc'] !== '2.0') return 'a JSON-RPC answer without "jsonrpc": "2.0"';
  const { id, error } = message;
  if (id !== undefined && id !== null && typeof id !== 'string' && typeof id !== 'number')
    return 'an id of no type';
  if (ids !== undefined && id !== undefined && id !== null && !ids.has(id))
    return `an answer to an id that was not sent: ${JSON.stringify(id)}`;
  if ('result' in message === 'error' in message) return 'neither a result nor an error, or both';
  if ('result' in message)
    return isObject(message['result']) && id !== null ? undefined : 'a result that is no object';
  if (!isObject(error) || !Number.isInteger(error['code']) || typeof error['message'] !== 'string')
    return 'an error without code and message';
  // The SDK also uses this code for params of the wrong type; the message then is a list of what is wrong with them.
  if (error['code'] === -32_603 && !/^\[\s*\{|^No wire schema for /.test(error['message']))
    return `an internal error: ${error['message']}`;
  return /\bat .+:\d+:\d+|node_modules|\/src\//.test(error['message'])
    ? 'a stack or a path in an error'
    : undefined;
}

/** Decodes UTF-8; undefined when the bytes are not valid. */
function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Parses JSON; undefined when the text is not valid. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Whether a value is an object, and not an array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

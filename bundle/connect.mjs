/**
 * The bridge of the bundle for Claude Desktop: MCP over stdio on one side, Streamable HTTP on the other. One file without
 * dependencies, for Node 18 and newer. MCP_URL is the server's endpoint, MCP_TOKEN its user's token.
 */
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';

const url = process.env.MCP_URL ?? '';
// An optional setting that is left empty arrives as its placeholder.
const token = /^\$\{.*\}$/.test(process.env.MCP_TOKEN ?? '') ? '' : (process.env.MCP_TOKEN ?? '').trim();
const needsToken = 'MCP_TOKEN' in process.env;

/** How long a server that is not there is waited for: a redeploy takes less. Milliseconds. */
const PATIENCE_MS = Number(process.env.MCP_PATIENCE_MS ?? 60_000);
const NO_TOKEN =
  'No token is set. In Claude Desktop open Settings → Extensions, choose this extension, and enter the token that you were given.';
const BAD_TOKEN =
  'The token holds a character that no token has, such as a typographic quote or one that cannot be seen. Copy it again, and enter it in Claude Desktop: Settings → Extensions, this extension.';
const NO_ADDRESS =
  'MCP_URL, the address of the server, is no URL that begins with https:// or http://. It stands in the manifest of this extension: install the one that the server hands out at /connect.mcpb, or correct MCP_URL where you set it.';
const BROKEN =
  'The connection to the server broke before its answer was whole; it may have done what was asked.';

/** The error of a server that misses a header, or finds another value in it than in the body; it runs nothing then. */
const HEADER_MISMATCH = -32_020;

/** What changes nothing, or nothing more when it comes twice. Calls of tools are not among it, nor what others have added to MCP. */
const HARMLESS =
  /^(initialize|ping|server\/discover|(tools|prompts|resources|resources\/templates)\/list|prompts\/get|resources\/(read|subscribe|unsubscribe)|subscriptions\/listen|completion\/complete|logging\/setLevel|notifications\/.+)$/;
/** Tools of which the last list says that they only read, or do no more the second time. */
const harmlessTools = new Set();
/** The input schemas of that list, by the names of their tools. */
const schemas = new Map();

/** A refusal in words for people; `answer` is a JSON-RPC error of the server's own. */
class Refusal extends Error {
  constructor(words, { answer, ...options } = {}) {
    super(words, options);
    this.answer = answer;
  }
}

/** What the session consists of; with a new one, all of it is replaced. */
let session = { id: undefined, version: undefined };
/** The client's own `initialize`, to begin anew with. */
let greeting;
/** Resolves when `initialize` has been answered: whatever comes before that waits. */
let greeted = Promise.resolve();
let beginning;
let isOver = false;
const underWay = new Set();
/** What ends each request under way, by its id. In the revision without sessions, who closes the response cancels the request. */
const cancels = new Map();

process.stdout.on('error', () => process.exit(0));
for await (const line of linesOf(process.stdin)) {
  const message = parse(line);
  if (message === undefined) continue;
  if (message.method === 'initialize') {
    greeting = message;
    session = { id: undefined, version: undefined };
    greeted = track(handle(message));
  } else if (message.method === 'notifications/cancelled') {
    const cancelled = cancels.get(message.params?.requestId);
    cancelled?.stop.abort();
    // Beside the others: while the server is away it waits, and another one may come.
    if (cancelled?.isAlone !== true) track(greeted.then(() => handle(message)));
  } else if (isRequest(message)) {
    const isAlone = revisionOf(message) !== undefined;
    cancels.set(message.id, { stop: new AbortController(), method: message.method, isAlone });
    track(greeted.then(() => handle(message)));
  }
  // In their order; requests do not wait for one another.
  else await greeted.then(() => handle(message));
}
isOver = true;
// They would never end by themselves.
for (const { stop, method } of cancels.values()) if (method === 'subscriptions/listen') stop.abort();
await atMost(PATIENCE_MS, Promise.allSettled(underWay));
if (session.id !== undefined) await atMost(PATIENCE_MS, Promise.allSettled([post(undefined, 'DELETE')]));
process.exit(0);

/** Waits for a promise, and no longer than this. */
async function atMost(limitMs, promise) {
  await Promise.race([promise, delay(limitMs)]);
}

/** Keeps a promise until it is settled, so that answers still go out when the input has ended. */
function track(promise) {
  underWay.add(promise);
  return promise.finally(() => underWay.delete(promise));
}

/** Sends one message of the client on, and hands back what comes of it. */
async function handle(message) {
  const stop = cancelOf(message);
  try {
    if (!isAddress(url)) throw new Refusal(NO_ADDRESS);
    if (needsToken && token === '') throw new Refusal(NO_TOKEN);
    // In a header it could not be sent at all.
    if (/[^\t\x20-\x7e\x80-\xff]/.test(token)) throw new Refusal(BAD_TOKEN);
    const response = await send(message);
    if (message.method === 'initialize') session.id = response.headers.get('mcp-session-id') ?? undefined;
    await readAnswer(response, message);
    if (message.method === 'notifications/initialized') void listen(session);
  } catch (error) {
    if (stop?.signal.aborted !== true) fail(message, error);
  } finally {
    if (stop !== undefined) cancels.delete(message.id);
  }
}

/** Posts a message until the server takes it; a session that is gone is begun anew. */
async function send(message) {
  for (let hasAskedForTools = false; ;) {
    const used = session;
    const response = await patiently(() => post(message), message);
    if (response.status === 404 && used.id !== undefined && message.method !== 'initialize') {
      await response.body?.cancel();
      await beginAnew(used);
      continue;
    }
    if (response.ok) return response;
    const refusal = await refusalOf(response, message);
    const isOfHeaders = refusal.answer?.error.code === HEADER_MISMATCH && message.method === 'tools/call';
    if (!isOfHeaders || hasAskedForTools || revisionOf(message) === undefined) throw refusal;
    await askForTools(message);
    hasAskedForTools = true;
  }
}

/** Lists tools until the called one is among them: the client had no list yet, or it has changed since. */
async function askForTools(call) {
  const signal = cancelOf(call)?.signal;
  const { progressToken: _, ..._meta } = call.params._meta;
  let cursor;
  do {
    const params = { ...(cursor !== undefined && { cursor }), _meta };
    const list = { jsonrpc: '2.0', id: 'bridge-asks-for-tools', method: 'tools/list', params };
    const response = await patiently(() => post(list, 'POST', { signal }), list, signal);
    if (!response.ok) throw await refusalOf(response, list);
    const result = (await responseIn(response))?.result;
    noteTools(result?.tools, cursor);
    cursor = result?.nextCursor;
  } while (typeof cursor === 'string' && !schemas.has(call.params.name));
}

/** One HTTP request, of this session unless another is named. */
async function post(message, method = 'POST', { as = session, headers = {}, signal } = {}) {
  const meta = revisionOf(message);
  const name = message?.params?.name ?? message?.params?.uri;
  return fetch(url, {
    method,
    headers: {
      Accept: 'application/json, text/event-stream',
      ...(message && { 'Content-Type': 'application/json' }),
      ...(token !== '' && { Authorization: `Bearer ${token}` }),
      ...(meta === undefined && as.id !== undefined && { 'Mcp-Session-Id': as.id }),
      ...((meta ?? as.version) && { 'MCP-Protocol-Version': meta ?? as.version }),
      // The revision without sessions repeats in headers what the body says.
      ...(meta && { 'Mcp-Method': message.method, ...(name && { 'Mcp-Name': asHeader(String(name)) }) }),
      ...(meta &&
        message.method === 'tools/call' &&
        paramHeaders(schemas.get(name), message.params.arguments)),
      ...headers,
    },
    ...(message && { body: JSON.stringify(message) }),
    // Followed, a POST may become a GET, and loses the token.
    redirect: 'manual',
    // With a session, a connection that breaks cancels nothing.
    signal: signal ?? (meta && cancelOf(message)?.signal),
  });
}

/** Repeats a request while the server is away, as far as it cannot have run, or may run twice, and until it is cancelled. */
async function patiently(request, message, signal = cancelOf(message)?.signal) {
  const untilMs = Date.now() + PATIENCE_MS;
  for (let waitMs = 250; ; waitMs = Math.min(waitMs * 2, 4_000)) {
    try {
      signal?.throwIfAborted();
      const response = await request();
      if (!isAway(response) || isUnsure(response, message) || Date.now() > untilMs || isOver) return response;
      await response.body?.cancel();
      const seconds = Number(response.headers.get('retry-after'));
      await delay(seconds > 0 ? Math.min(seconds * 1000, 10_000) : waitMs, undefined, { signal });
    } catch (error) {
      if (signal?.aborted === true) throw error;
      const code = error?.cause?.code ?? error?.code;
      const neverSent = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'].includes(
        code,
      );
      const mayRepeat = neverSent || isHarmless(message);
      if (!mayRepeat || Date.now() > untilMs || isOver)
        throw new Refusal(describe(error, code), { cause: error });
      await delay(waitMs, undefined, { signal });
    }
  }
}

/** Whether the server, or a proxy in its place, says that it is not there. */
function isAway({ status }) {
  return [502, 503, 504].includes(status);
}

/**
 * Whether an answer says that nothing has run: the server's own 503 does, which names a time. A proxy answers 502 and 504, and some of
 * them 503, also when the server took the request and then died, or was slow.
 */
function hasNotRun({ status, headers }) {
  return status === 503 && headers.has('retry-after');
}

/** Whether nobody knows if a message has run that must not run twice. */
function isUnsure(response, message) {
  return isAway(response) && !hasNotRun(response) && !isHarmless(message);
}

/** Whether a message may be sent again where nobody knows if it has run; requests without one, and answers to the server, may. */
function isHarmless(message) {
  if (message?.method === undefined) return true;
  return (
    HARMLESS.test(message.method) ||
    (message.method === 'tools/call' && harmlessTools.has(message.params?.name))
  );
}

/** Opens a session in the place of one that is gone, once for all who notice. Where that fails, whoever notices next tries again. */
async function beginAnew(gone) {
  if (session !== gone) return;
  beginning ??= replace(gone).finally(() => (beginning = undefined));
  await beginning;
}

/** Opens the session that takes the place of another; until it is there, the other one stays. */
async function replace(gone) {
  const next = { id: undefined, version: undefined };
  const response = await patiently(() =>
    post({ ...greeting, id: 'bridge-begins-anew' }, 'POST', { as: next }),
  );
  if (!response.ok) throw await refusalOf(response);
  const answer = await responseIn(response);
  if (!answer?.result)
    throw new Refusal(answer?.error?.message ?? (isStream(response) ? BROKEN : describeOther(response)));
  next.id = response.headers.get('mcp-session-id') ?? undefined;
  next.version = answer.result.protocolVersion;
  // The client itself has begun anew meanwhile.
  if (session !== gone) return;
  session = next;
  const noted = { jsonrpc: '2.0', method: 'notifications/initialized' };
  // Whether that has arrived, the answer to what is sent next shows.
  await patiently(() => post(noted, 'POST', { as: next }), noted)
    .then(({ body }) => body?.cancel())
    .catch(() => undefined);
  void listen(next);
}

/** The response that answers a request of the bridge's own, plain or on a stream, where notifications may come before it. */
async function responseIn(answer) {
  if (!isStream(answer)) return parse(await answer.text());
  for await (const { data } of eventsOf(answer.body)) {
    const message = parse(data ?? '');
    if (message && !('method' in message)) return message;
  }
  return undefined;
}

/** Hands on what answers a message: progress and questions of the server come before the result. */
async function readAnswer(response, message) {
  if (!isStream(response)) {
    const text = await response.text();
    // Nobody else would answer the request.
    if (isRequest(message) && parse(text)?.jsonrpc !== '2.0') throw new Refusal(describeOther(response));
    return emit(text, message);
  }
  const owner = session;
  const signal = cancelOf(message)?.signal;
  let last;
  let waitMs = 1_000;
  let isAnswered = false;
  let body = response.body;
  for (;;) {
    try {
      for await (const { data, id, retry } of eventsOf(body)) {
        last = id ?? last;
        waitMs = retry ?? waitMs;
        if (!data) continue;
        const sent = emit(data, message);
        if (sent && !('method' in sent) && sent.id === message.id) isAnswered = true;
      }
    } catch {
      // The connection broke; what was missed can be asked for.
    }
    if (isAnswered || !('id' in message)) return;
    if (last === undefined || owner !== session || signal?.aborted === true) throw new Refusal(BROKEN);
    await delay(waitMs, undefined, { signal });
    const headers = { 'Last-Event-ID': last };
    const again = await patiently(() => post(undefined, 'GET', { headers, signal }), undefined, signal);
    if (!again.ok || !isStream(again)) throw new Refusal(BROKEN);
    body = again.body;
  }
}

/** Keeps the stream open on which the server speaks without being asked. */
async function listen(owner) {
  let last;
  let waitMs = 1_000;
  let failures = 0;
  while (session === owner && owner.id !== undefined && !isOver) {
    try {
      const headers = { Accept: 'text/event-stream', ...(last && { 'Last-Event-ID': last }) };
      const response = await post(undefined, 'GET', { as: owner, headers });
      if (response.status === 404) return void (await beginAnew(owner));
      // 401 and a redirect are told in answer to the next message; 405 means that there is no such stream.
      if (response.status >= 300 && response.status < 500 && response.status !== 429) return;
      if (response.ok && isStream(response)) {
        failures = 0;
        for await (const { data, id, retry } of eventsOf(response.body)) {
          last = id ?? last;
          waitMs = retry ?? waitMs;
          if (data && session === owner) emit(data);
        }
      }
    } catch {
      // The server is away, or has no room for a session; it is asked again.
    }
    failures += 1;
    await delay(Math.min(waitMs * failures, 15_000), undefined, { ref: false });
  }
}

/** Writes a message for the client, on one line, and returns it. */
function emit(text, answered) {
  const message = parse(text);
  if (message === undefined) return undefined;
  // A POST holds one request: an error that names none answers it. Without its id, the client would wait on.
  if (message.error && (message.id ?? undefined) === undefined && isRequest(answered ?? {}))
    message.id = answered.id;
  if (answered?.method === 'initialize' && message.id === answered.id && message.result)
    session.version = message.result.protocolVersion;
  if (answered?.method === 'tools/list' && message.id === answered.id && message.result)
    noteTools(message.result.tools, answered.params?.cursor);
  process.stdout.write(`${JSON.stringify(message)}\n`);
  return message;
}

/** Remembers which tools may be called twice, and what they take; the first page of a list begins anew. */
function noteTools(tools, cursor) {
  if (cursor === undefined) {
    harmlessTools.clear();
    schemas.clear();
  }
  for (const tool of Array.isArray(tools) ? tools : []) {
    schemas.set(tool?.name, tool?.inputSchema);
    if (tool?.annotations?.readOnlyHint === true || tool?.annotations?.idempotentHint === true)
      harmlessTools.add(tool.name);
  }
}

/** What is told to whoever waits for an answer: the server's words, or what became of the connection. */
function fail(message, error) {
  const words = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${words}\n`);
  if (!isRequest(message)) return;
  const answer = error?.answer ?? { error: { code: -32_000, message: words } };
  process.stdout.write(`${JSON.stringify({ ...answer, jsonrpc: '2.0', id: message.id })}\n`);
}

/** The refusal that a response to a message holds. */
async function refusalOf(response, message) {
  const text = await response.text();
  if (response.status >= 300 && response.status < 400) return new Refusal(describeMove(response));
  const body = parse(text);
  if (typeof body?.error === 'object')
    return new Refusal(body.error.message, { answer: { error: body.error } });
  const advice =
    response.status === 401 ? ' Change it in Claude Desktop: Settings → Extensions, this extension.' : '';
  const plain = isUnsure(response, message)
    ? `Status ${response.status} came in the place of the server's answer; what was asked may or may not have been done.`
    : `The server answered with status ${response.status}.`;
  const words = body?.error_description ?? plain;
  return new Refusal(`${words}${advice}`);
}

/** Why there was no answer at all. */
function describe(error, code = '') {
  const { host } = new URL(url);
  if (code === 'ENOTFOUND') return `There is no server of the name ${host}. Is this machine on the internet?`;
  if (code === 'ECONNREFUSED')
    return `The server ${host} does not answer. Ask whoever runs it whether it is up.`;
  if (/CERT|SELF_SIGNED|UNABLE_TO/.test(code))
    return `The certificate of ${host} is not trusted here (${code}).`;
  return `The connection to ${host} failed (${code || error?.name}); what was asked may or may not have been done.`;
}

/** What is said of an answer that is none of MCP: a page, or nothing. */
function describeOther({ status }) {
  return `Something else than an MCP server answered at ${new URL(url).host} (status ${status}): check the address, and that no login or waiting page stands in front of it.`;
}

/** What is said of a redirect; the query of its address may hold a secret. */
function describeMove({ headers }) {
  const location = headers.get('location') ?? '';
  const own = new URL(url);
  const { origin, pathname, protocol } = new URL(isAddress(location, url) ? location : '', own);
  const isHere = origin === own.origin && pathname === own.pathname;
  // Nobody gets further by either address.
  if (isHere || (own.protocol === 'https:' && protocol === 'http:'))
    return `The address ${own.origin}${own.pathname} redirects to ${isHere ? 'itself' : 'plain HTTP'}, and leads nowhere: whoever runs the server has to mend that, mostly by having every proxy pass on X-Forwarded-Proto.`;
  return `The server has moved to ${origin}${pathname}: install its extension anew from there, or correct MCP_URL where you set it. Your token is not sent on at a redirect. Where that is a login page, it must not stand in front of the server.`;
}

/** The revision without sessions, where a message says that it is of it. */
function revisionOf(message) {
  return message?.params?._meta?.['io.modelcontextprotocol/protocolVersion'];
}

/** What ends a request of the client; undefined for every other message. */
function cancelOf(message) {
  return isRequest(message ?? {}) ? cancels.get(message.id)?.stop : undefined;
}

/** Whether a message waits for an answer. */
function isRequest(message) {
  return 'method' in message && 'id' in message;
}

/** Whether a text is the URL of a server, from the place where it stands. */
function isAddress(text, base) {
  try {
    return /^https?:$/.test(new URL(text, base).protocol);
  } catch {
    return false;
  }
}

/** Whether a response is a stream of events. */
function isStream(response) {
  return response.headers.get('content-type')?.startsWith('text/event-stream') === true;
}

/** The events of a body, each when it is whole. */
async function* eventsOf(body) {
  let event = {};
  for await (const line of linesOf(body)) {
    const [, field, value] = /^(\w+): ?(.*?)\r?$/s.exec(line) ?? [];
    if (line === '' || line === '\r') {
      yield event;
      event = {};
    } else if (field === 'data') event.data = event.data === undefined ? value : `${event.data}\n${value}`;
    else if (field === 'id') event.id = value;
    else if (field === 'retry' && /^\d+$/.test(value)) event.retry = Number(value);
  }
}

/** The lines of bytes. JSON may hold U+2028 and U+2029, which end a line for `readline` of Node 24. */
async function* linesOf(bytes) {
  const decoder = new TextDecoder();
  // Joined only when a line is whole: a large one comes in many parts.
  const parts = [];
  for await (const some of bytes) {
    const [first, ...others] = decoder.decode(some, { stream: true }).split('\n');
    parts.push(first);
    for (const next of others) {
      yield parts.splice(0).join('');
      parts.push(next);
    }
  }
  const last = parts.join('');
  if (last !== '') yield last;
}

/** A text as JSON that is an object. */
function parse(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The headers in which the revision without sessions repeats the parameters that a schema marks with `x-mcp-header`. */
function paramHeaders(schema, input) {
  const headers = {};
  for (const [name, property] of Object.entries(schema?.properties ?? {})) {
    const value = input?.[name];
    const header = property?.['x-mcp-header'];
    if (typeof value === 'object') Object.assign(headers, paramHeaders(property, value));
    // Another name could be sent in no header.
    else if (
      /^[\w!#$%&'*+.^`|~-]+$/.test(header ?? '') &&
      ['string', 'number', 'boolean'].includes(typeof value)
    )
      headers[`Mcp-Param-${header}`] = asHeader(String(value));
  }
  return headers;
}

/** A text as a header's value: in Base64, marked as such, where it would not arrive as it is. */
function asHeader(text) {
  const isPlain = /^[\x20-\x7e]+$/.test(text) && text === text.trim() && !/^=\?base64\?.*\?=$/.test(text);
  return isPlain ? text : `=?base64?${Buffer.from(text).toString('base64')}?=`;
}

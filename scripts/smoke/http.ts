/** Sends plain requests to the deployment, for checks that need the status, the headers and the time. */
import { z } from 'zod';
import { explainNetworkError } from './network-error.ts';
import { CheckFailure } from './outcome.ts';

/** The deployment under test. */
export interface Target {
  readonly url: URL;
  readonly token: string | undefined;
  readonly timeoutMs: number;
}

/** The address of a path of the deployment. A path that the server gives itself (`/messages?…`) is resolved as clients do it. */
export function urlOf({ url }: Pick<Target, 'url'>, path: string): URL {
  return new URL(path.replace(/^\//, ''), url);
}

/** A request. Nothing is added to it: without `token` it carries no credential. */
export interface Request {
  readonly method?: 'GET' | 'POST' | 'DELETE' | 'OPTIONS';
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: object;
  /** Sent as a form, in place of a body. */
  readonly form?: Readonly<Record<string, string>>;
}

/** An answer. The body of an event stream is not read: its text is empty. */
export interface Answer {
  /** The address that was requested. */
  readonly url: URL;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly durationMs: number;
}

/**
 * Sends a request. Does not follow redirects, since clients drop the credential at them.
 * @throws {Unreachable} when no answer came
 */
export async function ask(target: Target, path: string, request: Request = {}): Promise<Answer> {
  const { timeoutMs } = target;
  const startedMs = performance.now();
  const url = urlOf(target, path);
  try {
    const response = await fetch(url, {
      ...toInit(request),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
    if (isStream) await response.body?.cancel();
    const text = isStream ? '' : await response.text();
    return {
      url,
      status: response.status,
      headers: response.headers,
      text,
      durationMs: performance.now() - startedMs,
    };
  } catch (error) {
    throw explainNetworkError(error, timeoutMs);
  }
}

/** Makes the options that fetch takes of a request. */
export function toInit({ method, token, headers, body, form }: Request): RequestInit {
  return {
    method: method ?? ((body ?? form) === undefined ? 'GET' : 'POST'),
    redirect: 'manual',
    headers: {
      Accept: 'application/json, text/event-stream',
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(form !== undefined && { body: new URLSearchParams(form) }),
  };
}

/** The answer's JSON if it fits the schema, otherwise undefined. */
export function parseJson<T>({ text }: Answer, schema: z.ZodType<T>): T | undefined {
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** The JSON of an answer that has one of these statuses and fits the schema. */
export function requireJson<T>(answer: Answer, statuses: readonly number[], schema: z.ZodType<T>): T {
  const json = statuses.includes(answer.status) ? parseJson(answer, schema) : undefined;
  if (json === undefined) throw unexpected(answer, `${statuses.join(' or ')} with JSON`);
  return json;
}

const WORDS = z.looseObject({ error: z.string(), error_description: z.string() });
const RPC_WORDS = z.looseObject({
  error: z.looseObject({
    message: z.string(),
    data: z.looseObject({ error: z.string().optional() }).optional(),
  }),
});

/** The sentence with which this server explains a refusal; undefined when the answer has none. */
export function explanationOf(answer: Answer): string | undefined {
  return parseJson(answer, WORDS)?.error_description ?? parseJson(answer, RPC_WORDS)?.error.message;
}

/** The stable error code of a refusal of this server; undefined for any other answer. */
export function codeOf(answer: Answer): string | undefined {
  return parseJson(answer, WORDS)?.error ?? parseJson(answer, RPC_WORDS)?.error.data?.error;
}

/** The failure of an answer that should have been another; it describes what came. */
export function unexpected(answer: Answer, expected: string): CheckFailure {
  const { status, headers } = answer;
  const own = explanationOf(answer);
  if (own !== undefined)
    return new CheckFailure(
      `The server answered ${status} (${own}); expected was ${expected}.`,
      adviceFor(answer),
    );
  const isHtml = (headers.get('content-type') ?? '').includes('html') || /^\s*</.test(answer.text);
  const title = /<title[^>]*>([^<]{1,80})/i.exec(answer.text)?.[1]?.trim();
  const looks = isHtml ? `an HTML page${title === undefined ? '' : ` ("${title}")`}` : 'something else';
  return new CheckFailure(
    `The answer is ${looks} with status ${status}; expected was ${expected}.`,
    adviceFor(answer),
  );
}

/** What to do about a status. */
function adviceFor(answer: Answer): string {
  const { status, text } = answer;
  if (status >= 300 && status < 400) return adviceForRedirect(answer);
  if (status === 401)
    return 'Check the token: it must be complete, belong to this deployment, and be neither expired nor disabled.';
  if (status === 403 && text.includes('forbidden_host'))
    return 'The server does not know that it is called by this name: set PUBLIC_URL to this address, or add the name to ALLOWED_HOSTS. If that is done already, a proxy replaces the Host header, as the log of the server shows: have it pass on Host (nginx: proxy_set_header Host $http_host).';
  if (status === 429) return adviceForTooMany(answer);
  if (codeOf(answer) === 'temporarily_unavailable')
    return 'The server cannot ask what it checks tokens by. Its log says why: identity provider cannot be asked, or tokens cannot be read from the database.';
  if (status === 502 || status === 503 || status === 504)
    return "The host's proxy answers, but no server runs behind it: read the deployment's log, and check the port to which the proxy forwards.";
  if (status >= 500) return "The server failed: its log has the error under the answer's request id.";
  return 'Something other than this server answers: check the URL, and that the host shows no login or waiting page in front of it.';
}

/** What to do about a redirect: not every one leads to this server. */
function adviceForRedirect({ url, headers }: Answer): string {
  const location = headers.get('location') ?? '';
  if (location === '' || !URL.canParse(location, url.href))
    return 'It redirects without an address: check the proxy in front of the server.';
  const to = new URL(location, url);
  if (withoutHash(to) === withoutHash(url))
    return 'It redirects to the very same address, for ever. Usually the proxy that redirects wants https, and does not know that the client uses it: have every proxy pass on X-Forwarded-Proto, and connect to the next one over https if that requires it (Cloudflare: "Full (strict)", not "Flexible").';
  // The query may hold a code or a token, so it is not shown.
  const shown = `${to.origin}${to.pathname}${to.search === '' ? '' : '?…'}`;
  if (url.protocol === 'https:' && to.protocol === 'http:')
    return `It redirects from https to ${shown}, over which a token would travel unencrypted: never use that address. The proxy that redirects does not know that the request came over https: have every proxy pass on X-Forwarded-Proto.`;
  if (placeOf(to) !== placeOf(url))
    return `It redirects to ${shown}. A login or waiting page must not stand in front of the server: clients cannot pass it.`;
  const use = `It redirects to ${shown}. Use that address: clients drop the token at a redirect.`;
  return to.hostname === url.hostname
    ? use
    : `${use} If it is no address of this server, or leads back here, correct the proxy that redirects.`;
}

/** An address without its fragment, as it is requested. */
function withoutHash({ href, hash }: URL): string {
  return href.slice(0, href.length - hash.length);
}

/** The last part of a path, which stays the same when a server has moved. */
function placeOf({ pathname }: URL): string {
  return /([^/]*)\/*$/.exec(pathname)?.[1] ?? '';
}

/** What to do about a 429: there are several kinds, each with its own remedy. */
function adviceForTooMany(answer: Answer): string {
  const code = codeOf(answer);
  const seconds = answer.headers.get('retry-after');
  if (code === 'too_many_sessions')
    return 'This user has as many sessions as are allowed (MAX_SESSIONS_PER_USER): probably a client opens one for each call and never ends it. Unused sessions end after SESSION_IDLE_SECONDS.';
  if (code === 'too_many_failures')
    return `Too many refused credentials came from this address (AUTH_FAILURES_PER_MINUTE): run it again in ${seconds ?? '60'} s. If nobody guesses tokens there, the server sees the address of a proxy instead of its clients: set TRUST_PROXY.`;
  return `A proxy limits requests, not this server: raise its limit${seconds === null ? '' : `, or run it again in ${seconds} s`}.`;
}

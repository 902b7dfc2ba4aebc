/** Plain requests to the deployment, where a check needs the status, the headers and the time. */
import { z } from 'zod';
import { explainNetworkError } from './network-error.ts';
import { CheckFailure } from './outcome.ts';

/** The deployment under test. */
export interface Target {
  readonly url: URL;
  readonly token: string | undefined;
  readonly timeoutMs: number;
}

/** A request. Nothing is added to it: without `token` it carries no credential. */
export interface Request {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: object;
}

/** An answer. Of an event stream only the head is read. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly durationMs: number;
}

/**
 * Sends a request; redirects are not followed, since clients drop the credential at them.
 * @throws {Unreachable} when no answer came
 */
export async function ask({ url, timeoutMs }: Target, path: string, request: Request = {}): Promise<Answer> {
  const startedMs = performance.now();
  try {
    const response = await fetch(new URL(path, url), {
      ...toInit(request),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
    if (isStream) await response.body?.cancel();
    const text = isStream ? '' : await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      durationMs: performance.now() - startedMs,
    };
  } catch (error) {
    throw explainNetworkError(error, timeoutMs);
  }
}

/** A request in the form that fetch takes. */
export function toInit({ method, token, headers, body }: Request): RequestInit {
  return {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    redirect: 'manual',
    headers: {
      Accept: 'application/json, text/event-stream',
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  };
}

/** The answer's JSON if it has this shape, else undefined. */
export function parseJson<T>({ text }: Answer, schema: z.ZodType<T>): T | undefined {
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** The JSON of an answer with one of these statuses; anything else is a failure that is told by its looks. */
export function requireJson<T>(answer: Answer, statuses: readonly number[], schema: z.ZodType<T>): T {
  const json = statuses.includes(answer.status) ? parseJson(answer, schema) : undefined;
  if (json === undefined) throw unexpected(answer, `${statuses.join(' or ')} with JSON`);
  return json;
}

const WORDS = z.looseObject({ error: z.string(), error_description: z.string() });
const RPC_WORDS = z.looseObject({ error: z.looseObject({ message: z.string() }) });

/** The sentence with which this server explains a refusal, if the answer has one. */
export function explanationOf(answer: Answer): string | undefined {
  return parseJson(answer, WORDS)?.error_description ?? parseJson(answer, RPC_WORDS)?.error.message;
}

/** An answer that should have been another one, named by what it looks like. */
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
    `Status ${status} with ${looks} came; expected was ${expected}.`,
    adviceFor(answer),
  );
}

/** What to do about a status. */
function adviceFor({ status, headers, text }: Answer): string {
  if (status >= 300 && status < 400)
    return `It redirects to ${headers.get('location') ?? 'an unnamed place'}. Use that address: clients drop the token at a redirect.`;
  if (status === 401)
    return 'Check the token: copied whole, of this deployment, neither expired nor disabled.';
  if (status === 403 && text.includes('forbidden_host'))
    return 'The server does not know that it is called by this name: set PUBLIC_URL to this address, or add the name to ALLOWED_HOSTS.';
  if (status === 429)
    return 'Too many refused credentials from this address: wait a minute and run it again.';
  if (status === 502 || status === 503 || status === 504)
    return "The host's proxy answers, with no running server behind it: read the deployment's log, and check the port it forwards to.";
  if (status >= 500) return "The server failed: its log has the error under the answer's request id.";
  return 'Something else than this server answers: check the URL, and that the host shows no login or waiting page in front of it.';
}

/** An MCP client for Streamable HTTP, revision 2026-07-28, and the server of this page: one POST for each request, no session. */
import { readEvents } from './event-stream.js';
import {
  asRequestError,
  envelope,
  parseObject,
  progressOf,
  refusalOf,
  RequestError,
  resultOf,
} from './mcp-messages.js';
import { urlOf } from './server-address.js';

/**
 * @typedef {Readonly<Record<string, unknown>>} Json an object of JSON
 * @typedef {{ progress: number, total?: number, message?: string }} Progress
 * @typedef {{ signal?: AbortSignal, onProgress?: (progress: Progress) => void, headers?: Record<string, string> }} CallOptions
 */

/**
 * A request with its answer, for people to read. The credential in it is masked.
 *
 * @typedef {object} Exchange
 * @property {string} title such as `tools/call whoami`
 * @property {string} path
 * @property {Record<string, string>} headers
 * @property {unknown} body
 * @property {number} durationMs
 * @property {string} status such as `200 OK`; empty when no answer came
 * @property {boolean} ok
 * @property {string[]} answer the messages as they came
 */

/**
 * Makes the client. The token is kept in this closure and nowhere else. When the sign-in ends, so do all its requests: those in flight are
 * aborted, and their answers are dropped.
 *
 * @param {object} options
 * @param {string} options.token an empty one sends no credential
 * @param {AbortSignal} options.signedIn aborted when the sign-in is over
 * @param {(exchange: Exchange) => void} options.onExchange
 * @param {(problem: RequestError) => void} options.onRefused called when the token is not valid, or not any more
 */
export function createMcpClient({ token, signedIn, onExchange, onRefused }) {
  let lastId = 0;

  /**
   * Sends one HTTP request as this user.
   *
   * @param {string} path
   * @param {{ body?: unknown, headers?: Record<string, string>, signal?: AbortSignal | undefined }} [request]
   */
  const send = async (path, { body, headers = {}, signal } = {}) => {
    const all = new Headers({ Accept: 'application/json, text/event-stream', ...headers });
    try {
      if (token !== '') all.set('Authorization', `Bearer ${token}`);
    } catch (cause) {
      const words = 'The token contains a character that a token cannot contain. Copy it again.';
      throw new RequestError(words, { code: 'not sent', cause });
    }
    const response = await fetch(urlOf(path), {
      method: body === undefined ? 'GET' : 'POST',
      headers: all,
      credentials: 'omit',
      cache: 'no-store',
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: signal ? AbortSignal.any([signedIn, signal]) : signedIn,
    });
    if (response.status === 401) onRefused(await refusalIn(response.clone()));
    return response;
  };

  /**
   * Sends one JSON-RPC request and returns its result.
   *
   * @param {string} method
   * @param {Json} [params]
   * @param {CallOptions} [options]
   * @returns {Promise<Json>}
   */
  const request = async (method, params = {}, { signal, onProgress, headers = {} } = {}) => {
    lastId += 1;
    const { message, headers: own } = envelope(lastId, method, params, onProgress !== undefined);
    const sent = { ...own, ...headers };
    const startedMs = performance.now();
    /** @type {Exchange} */
    const exchange = {
      title: [method, params['name'] ?? params['uri']].filter((part) => typeof part === 'string').join(' '),
      path: '/mcp',
      headers: { ...sent, ...(token !== '' && { Authorization: 'Bearer ••••••••' }) },
      body: message,
      durationMs: 0,
      status: '',
      ok: false,
      answer: [],
    };
    try {
      const response = await send('/mcp', { body: message, headers: sent, signal });
      exchange.status = statusOf(response);
      for await (const text of readAnswer(response)) {
        exchange.answer.push(text);
        const progress = progressOf(text);
        if (progress) onProgress?.(progress);
      }
      // An answer that has arrived already may be read to its end after an abort.
      signedIn.throwIfAborted();
      const result = resultOf(exchange);
      exchange.ok = true;
      return result;
    } catch (error) {
      throw asRequestError(error);
    } finally {
      exchange.durationMs = performance.now() - startedMs;
      if (!signedIn.aborted) onExchange(exchange);
    }
  };

  return { request, send };
}

/** @typedef {ReturnType<typeof createMcpClient>} McpClient */

/**
 * Reads the refusal in a response.
 *
 * @param {Response} response
 */
export async function refusalIn(response) {
  return refusalOf(parseObject(await response.text()), statusOf(response));
}

/**
 * A status with its reason phrase, if there is one.
 *
 * @param {Response} response
 */
function statusOf({ status, statusText }) {
  return `${status} ${statusText}`.trim();
}

/**
 * Yields the messages of an answer, which is one JSON text or a stream of them.
 *
 * @param {Response} response
 * @returns {AsyncGenerator<string, void, undefined>}
 */
async function* readAnswer(response) {
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
  if (!isStream || response.body === null) {
    yield await response.text();
    return;
  }
  for await (const item of readEvents(response.body)) if (item.kind === 'event') yield item.data;
}

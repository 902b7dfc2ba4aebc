/** Asks the provider for JSON: with a deadline, a bounded answer, and no redirect. */

/** Sends a request to a URL. Rejects with the reason, which holds nothing that was sent. */
export type Ask = (url: string, options?: AskOptions) => Promise<AskAnswer>;

/** What is sent besides the URL. With a form, the request is a POST. */
export interface AskOptions {
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer; `body` is undefined when it is not JSON. */
export interface AskAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** The deadline for everything together. Milliseconds. */
const DEADLINE_MS = 5_000;

/** The largest answer. Even a document with many keys has only some kilobytes. Bytes. */
const MAX_BYTES = 512 * 1024;

/** Makes the function that sends requests by fetch(). */
export function createAsk({ deadlineMs = DEADLINE_MS }: { readonly deadlineMs?: number } = {}): Ask {
  return async (url, { form, headers = {} } = {}) => {
    const deadline = new AbortController();
    const timer = setTimeout(
      () => deadline.abort(new Error(`no whole answer within ${deadlineMs} ms`)),
      deadlineMs,
    );
    try {
      const response = await fetch(url, {
        redirect: 'error',
        signal: deadline.signal,
        headers: { Accept: 'application/json', ...headers },
        ...(form !== undefined && { method: 'POST', body: new URLSearchParams(form) }),
      });
      return { status: response.status, body: parseJson(await readText(response, deadline.signal)) };
    } finally {
      clearTimeout(timer);
    }
  };
}

/** The text of a response, if it is not too long, and has come by the deadline. */
async function readText({ body }: Response, deadline: AbortSignal): Promise<string> {
  if (body === null) return '';
  // The bodies of fetch hold bytes; its type says nothing of them.
  const reader = body.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  const stop = (): void => void reader.cancel().catch(() => undefined);
  // A garbage collection makes fetch forget its signal once the headers have come: without this, an answer that never ends would be waited for.
  deadline.addEventListener('abort', stop);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    deadline.throwIfAborted();
    if (done) return Buffer.concat(chunks).toString();
    bytes += value.length;
    if (bytes > MAX_BYTES) {
      stop();
      throw new Error(`the answer is larger than ${MAX_BYTES} bytes`);
    }
    chunks.push(value);
  }
}

/** The value of a JSON text; undefined when the text is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether a value is an object with members, and no array. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

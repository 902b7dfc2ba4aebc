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

/** Sends a request by fetch(). */
export const askProvider: Ask = async (url, { form, headers = {} } = {}) => {
  const response = await fetch(url, {
    redirect: 'error',
    signal: AbortSignal.timeout(DEADLINE_MS),
    headers: { Accept: 'application/json', ...headers },
    ...(form !== undefined && { method: 'POST', body: new URLSearchParams(form) }),
  });
  return { status: response.status, body: parseJson(await readText(response)) };
};

/** The text of a response, if it is not too long. */
async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // oxlint-disable-next-line no-unsafe-type-assertion -- the bodies of fetch hold bytes; its type says nothing of them
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    // Leaving the loop cancels the rest.
    if (bytes > MAX_BYTES) throw new Error(`the answer is larger than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
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

/** Checks that a message as large as the server accepts gets through: a proxy with a lower limit would cut the input of a tool. */
import { type Answer, ask, codeOf, explanationOf, type Target, unexpected } from './http.ts';
import { CheckFailure, Unreachable } from './outcome.ts';
import type { RawSession } from './raw-session.ts';
import type { Passed } from './steps.ts';

/** How many times the usual timeout a large request may take. */
const PATIENCE = 6;
/** The search for a proxy's limit stops here. Bytes. */
const LEAST_BYTES = 16 * 1024;

/** Sends a ping of the largest size. Where a proxy refuses it, finds roughly the size that gets through. */
export async function checkBodySize(
  target: Target,
  session: RawSession,
  maxBodyBytes: number,
): Promise<Passed> {
  const send = (bytes: number): Promise<Answer | undefined> => sendPing(target, session, bytes);
  let bytes = maxBodyBytes;
  let answer = await send(bytes);
  // The server's own limit may be lower than the option says; its refusal tells which it is.
  const own = answer && codeOf(answer) === 'body_too_large' && /\d+/.exec(explanationOf(answer) ?? '')?.[0];
  if (own !== undefined && own !== false) {
    bytes = Math.min(bytes, Number(own));
    answer = await send(bytes);
  }
  if (answer?.status === 200) return { detail: `a message of ${size(bytes)} is answered` };
  if (answer !== undefined && answer.status !== 413) throw unexpected(answer, '200 to a large message');

  let passing = Math.floor(bytes / 2);
  while (passing > LEAST_BYTES && (await send(passing))?.status !== 200) passing = Math.floor(passing / 2);
  const outcome = answer === undefined ? 'its connection is cut' : 'it is answered 413';
  throw new CheckFailure(
    `A message of ${size(bytes)} does not reach the server: ${outcome} by something in front of it. A message of ${size(passing)} gets through.`,
    `A proxy's limit is below the server's MAX_BODY_BYTES: raise it (nginx: client_max_body_size ${size(bytes)
      .replace(/ (.)iB/, '$1')
      .toLowerCase()}), or lower MAX_BODY_BYTES, and give its value with --max-body.`,
  );
}

/** Sends a ping of a size; undefined when the connection was cut, which is how some proxies refuse a body. */
async function sendPing(target: Target, { headers }: RawSession, bytes: number): Promise<Answer | undefined> {
  const bare = { jsonrpc: '2.0', id: 'large', method: 'ping', params: { padding: '' } };
  const padding = 'x'.repeat(bytes - JSON.stringify(bare).length);
  const patient = { ...target, timeoutMs: target.timeoutMs * PATIENCE };
  try {
    const body = { ...bare, params: { padding } };
    return await ask(patient, '/mcp', { token: target.token, headers, body });
  } catch (error) {
    if (error instanceof Unreachable) return undefined;
    throw error;
  }
}

/** Formats a size for people. */
function size(bytes: number): string {
  const [unit, name] = bytes >= 1024 * 1024 ? [1024 * 1024, 'MiB'] : [1024, 'KiB'];
  return `${Math.round((10 * bytes) / unit) / 10} ${name}`;
}

/** Checks answers, so that a server which is fast and wrong does not look fast. */
import { parseEvents } from './event-reader.ts';
import type { HttpAnswer } from './http-connection.ts';
import { headerOf } from './http-reader.ts';

/** An answer that is not the expected one. It ends the run. */
export class WrongAnswerError extends Error {
  override readonly name = 'WrongAnswerError';
}

/** The parts of an answer that are read; any may be missing. */
export interface RpcAnswer {
  readonly id?: unknown;
  readonly method?: unknown;
  readonly result?: {
    readonly content?: readonly { readonly text?: unknown }[];
    readonly isError?: unknown;
    readonly protocolVersion?: unknown;
    readonly tools?: unknown;
  };
}

/** Fails unless the status is one of the wanted ones. */
export function requireStatus({ status, text }: HttpAnswer, wanted: readonly number[]): void {
  if (!wanted.includes(status)) throw new WrongAnswerError(`status ${status}: ${text.slice(0, 300)}`);
}

/** The JSON-RPC message in a response: its JSON, or the last event of its stream. */
export function messageIn(answer: HttpAnswer): RpcAnswer {
  requireStatus(answer, [200]);
  const isStream = headerOf(answer.head, 'content-type')?.startsWith('text/event-stream') === true;
  return parseMessage(isStream ? (parseEvents(answer.text).at(-1)?.data ?? '') : answer.text);
}

/** Fails unless the answer to a tool call has this id and this text. */
export function requireText(message: RpcAnswer, id: number, text: string): void {
  const content = message.result?.content;
  if (
    message.id === id &&
    content?.length === 1 &&
    content[0]?.text === text &&
    message.result?.isError !== true
  )
    return;
  throw new WrongAnswerError(`to call ${id}: ${excerpt(message)}`);
}

/** Fails unless `initialize` was answered with a result. */
export function requireInitialized(message: RpcAnswer): void {
  if (typeof message.result?.protocolVersion !== 'string')
    throw new WrongAnswerError(`to initialize: ${excerpt(message)}`);
}

/** Fails unless `tools/list` was answered with a result, in a session. */
export function requireListed(message: RpcAnswer): void {
  if (!Array.isArray(message.result?.tools)) throw new WrongAnswerError(`to tools/list: ${excerpt(message)}`);
}

/** Fails unless a stateless request was answered with the list of tools, or with the supported revisions. */
export function requireAnswered(answer: HttpAnswer, method: string): void {
  requireStatus(answer, [200]);
  const [sign, refused] = [method === 'tools/list' ? '"get_greeting"' : '"supportedVersions"', '"error":'];
  if (answer.text.includes(sign) && !answer.text.includes(refused)) return;
  throw new WrongAnswerError(`to ${method}: ${answer.text.slice(0, 300)}`);
}

/** Fails unless the text has the list of tools. */
export function requireTools(text: string): void {
  if (!text.includes('"get_greeting"')) throw new WrongAnswerError(`to GET /tools: ${text.slice(0, 300)}`);
}

/** Parses a message. Its type claims nothing that the functions above do not check. */
export function parseMessage(json: string): RpcAnswer {
  try {
    const message: unknown = JSON.parse(json);
    if (typeof message === 'object' && message !== null) return message;
  } catch {
    // The error below shows the text.
  }
  throw new WrongAnswerError(`not a JSON-RPC message: ${json.slice(0, 300)}`);
}

/** The beginning of a message, for an error. */
function excerpt(message: RpcAnswer): string {
  return JSON.stringify(message).slice(0, 300);
}

/**
 * The port of the fast lane, as sessions and the stateless endpoint use it: what it answers, how its calls are cancelled, and how answers
 * are serialized as the SDK does. `fast-lane.ts` implements it; without that file there is no lane.
 */
import {
  type JSONRPCNotification,
  type JSONRPCRequest,
  LATEST_PROTOCOL_VERSION,
  type ServerEvent,
  SUPPORTED_PROTOCOL_VERSIONS,
} from '@modelcontextprotocol/server';
import {
  type CallAnswer,
  type CallOrigin,
  isFurther,
  progressParams,
  type ProgressReport,
} from './call-tool.ts';
import type { UserContext } from '../auth/user.ts';
import type { Caller } from './caller.ts';
import { type Reply, type RequestId, spellUnspellable } from './messages.ts';
import type { PlainCall, PlainQuestion, RequestHeaders } from './plain-call.ts';

/** Answers messages without the SDK's server. */
export interface Lane {
  /** Whether features use the SDK's server, so that it may hold state: once it is made, it is kept. */
  readonly keepsServer: boolean;
  /** The notification that a list has changed; undefined for a list that the server does not have. */
  listChangeOf(event: ServerEvent): JSONRPCNotification | undefined;
  /** The answer to `initialize`, as JSON. */
  welcome(request: JSONRPCRequest): string;
  /** The answer to any other request that can be given at once, as JSON; undefined when the SDK must have it. */
  answerAtOnce(request: JSONRPCRequest, caller: Caller): string | undefined;
  /** Runs a session's call; undefined when the SDK must have it. */
  run(call: PlainCall, frame: CallFrame): Promise<CallAnswer> | undefined;
  /** The same for a call of the stateless revision, whose headers must repeat what the body says. */
  runStateless(call: PlainCall, headers: RequestHeaders, frame: CallFrame): Promise<CallAnswer> | undefined;
  /** The answer to a call of the stateless revision, as JSON. */
  spellStateless(id: RequestId, result: CallAnswer): string;
  /** The error for a call of an unknown tool, as JSON; undefined when the SDK must answer it. */
  refuse(call: PlainCall, caller: Caller, session: RefusingSession): string | undefined;
  /** The same for a call of the stateless revision. */
  refuseStateless(call: PlainCall, headers: RequestHeaders, caller: Caller): string | undefined;
  /** The answer that the SDK gave when a user with the same scopes asked the same in the stateless revision. */
  recall(question: PlainQuestion, headers: RequestHeaders, user: UserContext): StatelessAnswer | undefined;
  /** Remembers an answer of the SDK's for `recall`. */
  learn(question: PlainQuestion, user: UserContext, answer: StatelessAnswer): void;
}

/** The session in which a call is refused. */
export interface RefusingSession {
  readonly protocolVersion: string | undefined;
}

/** A whole answer of the stateless revision: its JSON, its status and its headers. */
export interface StatelessAnswer {
  readonly text: string;
  readonly head: { readonly status: number; readonly headers: readonly string[] };
}

/** The surroundings of a call: its caller, its revision, and the request that it comes from. */
export interface CallFrame {
  readonly caller: Caller;
  readonly protocolVersion: string;
  readonly origin: CallOrigin;
}

/** The revision for an `initialize` request: the one asked for, or the latest with sessions. */
export function negotiate(params: JSONRPCRequest['params']): string {
  const asked = String(params?.['protocolVersion']);
  return SUPPORTED_PROTOCOL_VERSIONS.includes(asked) ? asked : LATEST_PROTOCOL_VERSION;
}

/** A response with its fields in the SDK's order; an error where the result cannot be serialized, because it is too long for instance. */
export function spellAnswer(id: RequestId, result: object): string {
  try {
    return frameAnswer(id, JSON.stringify(result));
  } catch {
    return spellUnspellable(id);
  }
}

/** A response around a result that is JSON already. */
export function frameAnswer(id: RequestId, result: string): string {
  return `{"result":${result},"jsonrpc":"2.0","id":${JSON.stringify(id)}}`;
}

/** The origin of a call in the lane. It allocates nothing until its tool uses it. */
export class LaneCall implements CallOrigin {
  readonly reply: Reply | undefined;
  readonly #progressToken: RequestId | undefined;
  #abort: AbortController | undefined;
  #reached = -Infinity;
  isCancelled = false;

  /** Progress goes to the reply's stream, if the client has sent a progress token. */
  constructor(reply?: Reply, progressToken?: RequestId) {
    this.reply = reply;
    this.#progressToken = progressToken;
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.isCancelled) this.#abort.abort();
    return this.#abort.signal;
  }

  async progress(...report: ProgressReport): Promise<void> {
    if (this.isCancelled || this.#progressToken === undefined || !isFurther(report, this.#reached)) return;
    [this.#reached] = report;
    const params = progressParams(this.#progressToken, report);
    this.reply?.stream()?.send({ jsonrpc: '2.0', method: 'notifications/progress', params });
  }

  /** Ends the response, if the client comes back for the answer. */
  pause(comeBackAfterMs: number): boolean {
    return this.reply?.pause?.(comeBackAfterMs) === true;
  }

  /** Aborts the tool's signal, and has the log say `cancelled`. */
  cancel(): void {
    this.isCancelled = true;
    this.#abort?.abort();
  }
}

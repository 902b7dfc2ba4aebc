/**
 * What a session and the stateless revision know of a way past the SDK: what it answers, how a call that goes it is cancelled, and
 * how what the SDK would say is spelled. `fast-lane.ts` is that way; without it nothing here is ever asked.
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

/** What can be answered without the SDK's server. */
export interface Lane {
  /** Whether features have something on the SDK's server that may know more than the handshake: once made, it stays. */
  readonly keepsServer: boolean;
  /** What a client is told of the change of a list; undefined for a list that its server does not have. */
  listChangeOf(event: ServerEvent): JSONRPCNotification | undefined;
  /** The answer to `initialize`, as JSON. */
  welcome(request: JSONRPCRequest): string;
  /** The answer to another request that needs no more than this, as JSON; undefined when the SDK must have it. */
  answerAtOnce(request: JSONRPCRequest, caller: Caller): string | undefined;
  /** Runs a session's call; undefined when the SDK must have it. */
  run(call: PlainCall, frame: CallFrame): Promise<CallAnswer> | undefined;
  /** The same for a call that stands alone, whose headers must repeat what the body says. */
  runStateless(call: PlainCall, headers: RequestHeaders, frame: CallFrame): Promise<CallAnswer> | undefined;
  /** The answer to a call that stands alone, as JSON. */
  spellStateless(id: RequestId, result: CallAnswer): string;
  /** The error that a call of no tool gets, as JSON; undefined when it is for the SDK to say. */
  refuse(call: PlainCall, caller: Caller, session: RefusingSession): string | undefined;
  /** The same for a call that stands alone. */
  refuseStateless(call: PlainCall, headers: RequestHeaders, caller: Caller): string | undefined;
  /** What the SDK said to a question that stands alone, when somebody with the same scopes asked it. */
  recall(question: PlainQuestion, headers: RequestHeaders, user: UserContext): AloneAnswer | undefined;
  /** Hears what the SDK says to a question, for the next one who asks. */
  learn(question: PlainQuestion, user: UserContext, answer: AloneAnswer): void;
}

/** Where a call is refused. */
export interface RefusingSession {
  readonly protocolVersion: string | undefined;
}

/** A whole answer of the stateless revision. */
export interface AloneAnswer {
  readonly text: string;
  readonly head: { readonly status: number; readonly headers: readonly string[] };
}

/** In whose name and revision a call runs, and how it is cancelled. */
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

/** An answer with its fields in the SDK's order; an error in place of one that JSON cannot spell, being too long for instance. */
export function spellAnswer(id: RequestId, result: object): string {
  try {
    return frameAnswer(id, JSON.stringify(result));
  } catch {
    return spellUnspellable(id);
  }
}

/** An answer around a result that is JSON already. */
export function frameAnswer(id: RequestId, result: string): string {
  return `{"result":${result},"jsonrpc":"2.0","id":${JSON.stringify(id)}}`;
}

/** A call's origin that costs nothing until its tool asks for something. */
export class LaneCall implements CallOrigin {
  readonly reply: Reply | undefined;
  readonly #progressToken: RequestId | undefined;
  #abort: AbortController | undefined;
  #reached = -Infinity;
  isCancelled = false;

  /** Progress goes to the reply's stream, where it is asked for. */
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

  /** Sends the client away, where it comes back. */
  pause(comeBackAfterMs: number): boolean {
    return this.reply?.pause?.(comeBackAfterMs) === true;
  }

  /** Tells the tool, and whoever logs, that nobody waits any more. */
  cancel(): void {
    this.isCancelled = true;
    this.#abort?.abort();
  }
}

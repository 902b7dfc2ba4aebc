/** The context of a running tool. Its more expensive parts are made when the tool uses them, which most tools never do. */
import type { InputRequiredResult } from '@modelcontextprotocol/server';
import type { Logger } from 'pino';
import type { CallOrigin, ToolCall } from './call-tool.ts';
import { putQuestion } from './question.ts';
import { traceHeadersOf } from './trace.ts';
import type { AskingContext, CallConnection, ToolContext } from './tool.ts';

/** The context of one run. */
export class RunningCall implements AskingContext {
  readonly user: ToolContext['user'];
  readonly use: ToolContext['use'];
  readonly #call: ToolCall;
  /** Used instead of the request's own signal, for a tool with limits. */
  readonly #limitSignal: AbortSignal | undefined;
  #hasAsked = false;
  /** The question that the client must answer before the tool can go on. Once it is set, the outcome of the run is ignored. */
  openQuestion: InputRequiredResult | undefined;

  constructor(call: ToolCall, limitSignal?: AbortSignal) {
    this.#call = call;
    this.#limitSignal = limitSignal;
    this.user = call.caller.user;
    this.use = call.definition.use;
  }

  get log(): Logger {
    const { definition, caller, tool } = this.#call;
    return definition.log.child({
      requestId: caller.requestId,
      traceId: caller.trace?.traceId,
      tool: tool.name,
    });
  }

  get traceHeaders(): ToolContext['traceHeaders'] {
    return traceHeadersOf(this.#call.caller.trace);
  }

  get signal(): AbortSignal {
    return this.#limitSignal ?? this.#call.origin.signal;
  }

  get connection(): ToolContext['connection'] {
    return new RunningConnection(this.#call);
  }

  /** An arrow function, so that a tool may destructure it from its context. */
  readonly progress: ToolContext['progress'] = async (...report) => this.#call.origin.progress(...report);

  get listChanged(): ToolContext['listChanged'] {
    const { definition, caller } = this.#call;
    return (list) => definition.changes.tellListChanged(list, caller.user.userId);
  }

  get elicit(): AskingContext['elicit'] {
    const { tool, origin } = this.#call;
    return async (question) => {
      if (tool.elicits !== true)
        throw new Error(`${tool.name} asks its user a question. Declare the tool with \`elicits: true\`.`);
      if (this.#hasAsked)
        throw new Error(`${tool.name} asks its user twice in one call. Ask for everything in one form.`);
      this.#hasAsked = true;
      return putQuestion(question, origin.elicitation, (open) => {
        this.openQuestion = open;
      });
    };
  }
}

/** The longest pause: after a longer one the answer that the client comes back for might be gone. Milliseconds. */
const MAX_PAUSE_MS = 240_000;

/** How a call arrived, and the way to pause it. */
class RunningConnection implements CallConnection {
  readonly transport: CallConnection['transport'];
  readonly protocolVersion: string;
  readonly #origin: CallOrigin;

  constructor({ caller, protocolVersion, origin }: ToolCall) {
    this.transport = caller.transport;
    this.protocolVersion = protocolVersion;
    this.#origin = origin;
  }

  /** @throws {RangeError} when `retryMs` is not a whole number of milliseconds from 0 to 240,000 */
  pause(retryMs: number): boolean {
    if (!Number.isInteger(retryMs) || retryMs < 0 || retryMs > MAX_PAUSE_MS)
      throw new RangeError(`connection.pause() takes whole milliseconds from 0 to ${MAX_PAUSE_MS}.`);
    return !this.#origin.isCancelled && this.#origin.pause(retryMs);
  }
}

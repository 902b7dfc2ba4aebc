/** What a tool has at hand while it runs. The dearer parts are made when a tool asks for them; most never do. */
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
  /** In place of the request's own signal, for a tool with limits. */
  readonly #limitSignal: AbortSignal | undefined;
  #hasAsked = false;
  /** What the client must answer before the tool can go on: then the run counts for nothing, whatever it comes to. */
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

  /** An arrow function, so that a tool may take it out of its context. */
  readonly progress: ToolContext['progress'] = async (...report) => this.#call.origin.progress(...report);

  get listChanged(): ToolContext['listChanged'] {
    const { definition, caller } = this.#call;
    return (list) => definition.changes.tellListChanged(list, caller.user.userId);
  }

  get elicit(): AskingContext['elicit'] {
    const { tool, origin } = this.#call;
    return async (question) => {
      if (tool.elicits !== true) throw new Error(`${tool.name} asks its user without \`elicits: true\`.`);
      if (this.#hasAsked) throw new Error(`${tool.name} asks twice in one call: one form can hold it all.`);
      this.#hasAsked = true;
      return putQuestion(question, origin.elicitation, (open) => {
        this.openQuestion = open;
      });
    };
  }
}

/** Longer pauses might outlast what the client would come back for. Milliseconds. */
const MAX_PAUSE_MS = 240_000;

/** How a call arrived, and how its client is sent away for a while. */
class RunningConnection implements CallConnection {
  readonly transport: CallConnection['transport'];
  readonly protocolVersion: string;
  readonly #origin: CallOrigin;

  constructor({ caller, protocolVersion, origin }: ToolCall) {
    this.transport = caller.transport;
    this.protocolVersion = protocolVersion;
    this.#origin = origin;
  }

  /** @throws {RangeError} for what is no such number of milliseconds */
  pause(retryMs: number): boolean {
    if (!Number.isInteger(retryMs) || retryMs < 0 || retryMs > MAX_PAUSE_MS)
      throw new RangeError(`connection.pause() takes whole milliseconds from 0 to ${MAX_PAUSE_MS}.`);
    return !this.#origin.isCancelled && this.#origin.pause(retryMs);
  }
}

/** Runs one tool call: from the arguments as they came to the result as it goes out, with its line in the log. */
import type { CallToolResult, InputRequiredResult } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { type $ZodType, safeParse } from 'zod/v4/core';
import { admit, type Rejection } from './admission.ts';
import type { NoteOutcome } from './call-records.ts';
import { type Tool, ToolError } from './tool.ts';
import { errorResult, toResult } from './tool-result.ts';
import type { Caller } from './caller.ts';
import { hasLimits, LimitReached, type LimitedRun, runWithinLimits } from './limited-run.ts';
import type { RequestId } from './messages.ts';
import type { Elicitation } from './question.ts';
import { RunningCall } from './running-call.ts';
import type { McpDefinition } from './server.ts';

/** Stands for a protocol revision that has not been negotiated: HTTP+SSE clients may call before they initialize. */
export const NO_REVISION = 'not negotiated';

/** A call of a tool. */
export interface ToolCall {
  readonly tool: Tool;
  /** The arguments as the client sent them. */
  readonly input: unknown;
  readonly caller: Caller;
  readonly protocolVersion: string;
  readonly origin: CallOrigin;
  /** The server definition, the same for every call. */
  readonly definition: McpDefinition;
}

/** The request behind a call: whether it is cancelled, and how its client is told of progress. */
export interface CallOrigin {
  readonly signal: AbortSignal;
  readonly isCancelled: boolean;
  /** How its user can be asked; absent if nobody can be. */
  readonly elicitation?: Elicitation;
  progress(done: number, total?: number, message?: string): Promise<void>;
  /** Ends the response; the client comes back for the answer after so many milliseconds. False if it would not come back. */
  pause(comeBackAfterMs: number): boolean;
}

/** How a call ended, if it was not cancelled. */
type Outcome =
  | 'ok'
  | 'input_required'
  | 'tool_error'
  | 'invalid_input'
  | Rejection['outcome']
  | 'timeout'
  | 'internal_error';

/** The outcome of a call: a result, or the question that a tool with `elicits` asks its user. */
export type CallAnswer = CallToolResult | InputRequiredResult;

/** Runs a tool. Never rejects: every failure becomes a result that the model can read. */
export function callTool(call: ToolCall): Promise<CallAnswer> {
  const { tool, caller, protocolVersion, origin, definition } = call;
  const isCancelled = (): boolean => origin.isCancelled;
  const called = { kind: 'tool', name: tool.name, caller, protocolVersion, isCancelled } as const;
  return definition.records.follow(called, (note, by) =>
    runTool(by === caller ? call : { ...call, caller: by }, note),
  );
}

/** Records how a call ended. */
type Note = NoteOutcome<Outcome>;

/** Admits the call, checks its input, runs the tool, and turns every ending into a result. */
async function runTool(call: ToolCall, note: Note): Promise<CallAnswer> {
  const { tool, input, caller, definition } = call;
  const { inFlight } = definition;
  const { userId } = caller.user;
  const { name, scope, cost = 1 } = tool;
  const rejection = admit({ kind: 'tool', name, scope, cost }, caller, definition);
  if (rejection !== undefined) {
    note(rejection.outcome);
    return errorResult(rejection.words);
  }
  let running: RunningCall | undefined;
  let limited: LimitedRun | undefined;
  try {
    const parsed = tool.input.safeParse(withoutNulls(tool.input, input ?? {}));
    if (!parsed.success) {
      note('invalid_input');
      return errorResult(
        `Input validation error: Invalid arguments for tool ${tool.name}: ${z.prettifyError(parsed.error)}`,
      );
    }
    let answer: unknown;
    if (hasLimits(tool)) {
      limited = runWithinLimits(call, (signal) =>
        tool.run(parsed.data, (running = new RunningCall(call, signal))),
      );
      answer = limited.answer;
    } else {
      answer = tool.run(parsed.data, (running = new RunningCall(call)));
    }
    const found: unknown = answer instanceof Promise ? await answer : answer;
    if (running?.openQuestion !== undefined) return ask(running.openQuestion, note);
    const result = toResult(tool, found);
    note('ok');
    return result;
  } catch (error) {
    // A tool may have caught the error of `elicit` that ended its run, and thrown another one.
    if (running?.openQuestion !== undefined) return ask(running.openQuestion, note);
    return describeFailure(call, error, note);
  } finally {
    if (limited === undefined) inFlight.givePlaceBack(userId);
    else void limited.ended.then(() => inFlight.givePlaceBack(userId));
  }
}

/** Records that a question is asked, and returns it. */
function ask(question: InputRequiredResult, note: Note): InputRequiredResult {
  note('input_required');
  return question;
}

/** Records an error that a tool threw, and makes the result for the model. */
function describeFailure(call: ToolCall, error: unknown, note: Note): CallToolResult {
  if (error instanceof ToolError) {
    note('tool_error');
    return errorResult(error.message);
  }
  if (error instanceof LimitReached) {
    note(error.outcome);
    return errorResult(error.message);
  }
  const { tool, caller, origin, definition } = call;
  // Any other error may contain anything: it goes to the log, and the model gets the request id to ask about.
  if (!origin.isCancelled)
    definition.log.error({ err: error, requestId: caller.requestId, tool: tool.name }, 'tool failed');
  note('internal_error');
  return errorResult(`Internal error (request ${caller.requestId}).`);
}

/**
 * The input without the optional members that are null: strict function calling (OpenAI's) makes every parameter
 * required and sends null for those the model leaves out.
 */
function withoutNulls(schema: z.ZodObject, input: unknown): unknown {
  if (typeof input !== 'object' || input === null) return input;
  if (!Object.values(input).includes(null)) return input;
  const fields = new Map<string, $ZodType>(Object.entries(schema.shape));
  const isOmitted = (name: string, value: unknown): boolean => {
    const field = value === null ? fields.get(name) : undefined;
    return field !== undefined && safeParse(field, undefined).success && !safeParse(field, null).success;
  };
  return Object.fromEntries(Object.entries(input).filter(([name, value]) => !isOmitted(name, value)));
}

/** The parameters of `notifications/progress`. */
export function progressParams(progressToken: RequestId, [progress, total, message]: ProgressReport) {
  return {
    progressToken,
    progress,
    ...(total !== undefined && { total }),
    ...(message !== undefined && { message }),
  };
}

/** Whether a report is above the one before, as the specification requires; a value that is not a finite number never is. */
export function isFurther([done]: ProgressReport, reached: number): boolean {
  return Number.isFinite(done) && done > reached;
}

/** The arguments of a progress report. */
export type ProgressReport = Parameters<CallOrigin['progress']>;

/** Serves a prompt, a resource or a completion, with what a tool call has as well: admission, error messages, and a line in the log. */
import { ProtocolError, ProtocolErrorCode, type ServerContext } from '@modelcontextprotocol/server';
import { admit, type Rejection } from './admission.ts';
import { type Caller, callerOf } from './caller.ts';
import type { CalledKind, NoteOutcome } from './call-records.ts';
import { NO_REVISION } from './call-tool.ts';
import type { McpDefinition } from './server.ts';
import { type CallContext, ToolError } from './tool.ts';
import { traceHeadersOf } from './trace.ts';

/** What a request asks for, as the log and refusals name it. */
export interface Asked {
  readonly kind: CalledKind;
  readonly name: string;
  readonly scope?: string | undefined;
}

/** The surroundings of a request. */
export interface ServeFrame {
  readonly definition: McpDefinition;
  /** The SDK's view of the request. */
  readonly context: ServerContext;
  readonly protocolVersion: string | undefined;
  /** Makes the caller, if requests do not carry one (stdio). */
  readonly connectionCaller: (() => Caller) | undefined;
}

/** How serving ended, if it was not cancelled. */
type Outcome = 'ok' | 'error' | Rejection['outcome'] | 'internal_error';

/**
 * Serves a request with `work`. `refuse` makes the result of a request that is not admitted; by default it throws.
 * @throws {ProtocolError} with a message that the client may show
 */
export function serve<Result>(
  asked: Asked,
  frame: ServeFrame,
  work: (context: CallContext) => Promise<Result>,
  refuse: (words: string) => Result = throwRefusal,
): Promise<Result> {
  const { definition, context, protocolVersion = NO_REVISION } = frame;
  const { kind, name } = asked;
  const sender = callerOf(context, frame.connectionCaller);
  const isCancelled = (): boolean => context.mcpReq.signal.aborted;
  const called = { kind, name, caller: sender, protocolVersion, isCancelled };
  return definition.records.follow(called, async (note, caller) => {
    const rejection = admit({ ...asked, cost: kind === 'tool' ? 1 : 0 }, caller, definition);
    if (rejection !== undefined) {
      note(rejection.outcome);
      return refuse(rejection.words);
    }
    try {
      const result = await work(createContext(asked, frame, caller));
      note('ok');
      return result;
    } catch (error) {
      throw explain(error, { asked, frame, caller, note });
    } finally {
      definition.inFlight.givePlaceBack(caller.user.userId);
    }
  });
}

/** Records an error, and makes the one that is thrown in its place. */
function explain(
  error: unknown,
  {
    asked: { kind, name },
    frame: { definition, context },
    caller: { requestId },
    note,
  }: {
    readonly asked: Asked;
    readonly frame: ServeFrame;
    readonly caller: Caller;
    readonly note: NoteOutcome<Outcome>;
  },
): ProtocolError {
  if (error instanceof ProtocolError || error instanceof ToolError) {
    note('error');
    return error instanceof ProtocolError ? error : refusal(error.message);
  }
  // Any other error may contain anything: it goes to the log, and the client gets the request id to ask about.
  if (!context.mcpReq.signal.aborted)
    definition.log.error({ err: error, requestId, [kind]: name }, `${kind} failed`);
  note('internal_error');
  return new ProtocolError(ProtocolErrorCode.InternalError, `Internal error (request ${requestId}).`);
}

/** Makes the context of a request. */
function createContext(
  { kind, name }: Asked,
  { definition: { log, use }, context, protocolVersion = NO_REVISION }: ServeFrame,
  caller: Caller,
): CallContext {
  return {
    user: caller.user,
    use,
    log: log.child({ requestId: caller.requestId, traceId: caller.trace?.traceId, [kind]: name }),
    traceHeaders: traceHeadersOf(caller.trace),
    signal: context.mcpReq.signal,
    connection: { transport: caller.transport, protocolVersion },
  };
}

/** Makes a refusal with a message that the client may show. */
function refusal(message: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, message);
}

/** Refuses by throwing. */
function throwRefusal(words: string): never {
  throw refusal(words);
}

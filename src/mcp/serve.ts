/** Serves a prompt, a resource or a completion: scope, a place, what went wrong, and the line in the log, as a tool's call has them. */
import { ProtocolError, ProtocolErrorCode, type ServerContext } from '@modelcontextprotocol/server';
import { admit, type Rejection } from './admission.ts';
import { type Caller, callerOf } from './caller.ts';
import { NO_REVISION } from './call-tool.ts';
import type { McpDefinition } from './server.ts';
import { type CallContext, ToolError } from './tool.ts';

/** What is asked for, as the log and refusals name it. */
export interface Asked {
  readonly kind: keyof typeof LINES;
  readonly name: string;
  readonly scope?: string | undefined;
}

/** Where a request comes from. */
export interface ServeFrame {
  readonly definition: McpDefinition;
  /** The SDK's view of the request. */
  readonly context: ServerContext;
  readonly protocolVersion: string | undefined;
  /** Makes the caller, where requests do not bring their own. */
  readonly connectionCaller: (() => Caller) | undefined;
}

/** How serving ended, for the log. */
type Outcome = 'ok' | 'error' | Rejection['outcome'] | 'internal_error' | 'cancelled';

/**
 * Serves something.
 * @throws {ProtocolError} in words that the client may show
 */
export async function serve<Result>(
  asked: Asked,
  frame: ServeFrame,
  work: (context: CallContext) => Promise<Result>,
): Promise<Result> {
  const { definition, context } = frame;
  const startedMs = performance.now();
  const caller = callerOf(context, frame.connectionCaller);
  const { inFlight } = definition;
  const { userId } = caller.user;
  let outcome: Outcome = 'ok';
  let isInside = false;
  try {
    const rejection = admit({ ...asked, cost: asked.kind === 'tool' ? 1 : 0 }, caller, definition);
    isInside = rejection === undefined;
    if (rejection !== undefined) {
      outcome = rejection.outcome;
      throw refusal(rejection.words);
    }
    return await work(createContext(asked, frame, caller));
  } catch (error) {
    if (error instanceof ProtocolError) {
      if (outcome === 'ok') outcome = 'error';
      throw error;
    }
    if (error instanceof ToolError) {
      outcome = 'error';
      throw refusal(error.message);
    }
    outcome = 'internal_error';
    // What else is thrown may hold anything: it goes to the log, and the client gets the id to ask about.
    if (!context.mcpReq.signal.aborted) {
      const { requestId } = caller;
      definition.log.error({ err: error, requestId, [asked.kind]: asked.name }, `${asked.kind} failed`);
    }
    throw new ProtocolError(ProtocolErrorCode.InternalError, `Internal error (request ${caller.requestId}).`);
  } finally {
    if (isInside) inFlight.givePlaceBack(userId);
    writeLine(asked, frame, { caller, startedMs, outcome });
  }
}

/** What whoever serves has at hand. */
function createContext(
  { kind, name }: Asked,
  { definition: { log, use }, context, protocolVersion = NO_REVISION }: ServeFrame,
  caller: Caller,
): CallContext {
  return {
    user: caller.user,
    use,
    log: log.child({ requestId: caller.requestId, [kind]: name }),
    signal: context.mcpReq.signal,
    connection: { transport: caller.transport, protocolVersion },
  };
}

/** The line of one request. */
function writeLine(
  { kind, name }: Asked,
  { definition: { lines }, context }: ServeFrame,
  { caller, startedMs, outcome }: { caller: Caller; startedMs: number; outcome: Outcome },
): void {
  const { level, message } = LINES[kind];
  lines[level](
    {
      requestId: caller.requestId,
      userId: caller.user.userId,
      tokenId: caller.grant.tokenId,
      [kind]: name,
      transport: caller.transport,
      outcome: context.mcpReq.signal.aborted ? 'cancelled' : outcome,
      durationMs: Math.round(performance.now() - startedMs),
    },
    message,
  );
}

/** Completions come with each key that a user presses, and lists are no news: their lines are for those who debug. */
const LINES = {
  prompt: { level: 'info', message: 'prompt served' },
  resource: { level: 'info', message: 'resource read' },
  tool: { level: 'info', message: 'tool call' },
  completion: { level: 'debug', message: 'argument completed' },
  listing: { level: 'debug', message: 'resources listed' },
} as const;

/** A refusal whose words the client may show. */
function refusal(message: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, message);
}

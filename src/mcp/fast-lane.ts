/**
 * A short way for plain calls of our own tools, past the SDK's dispatch: the same `callTool`, and an answer of the same form.
 * Everything else falls through to the SDK. Delete this file and its uses, and no answer changes: `fast-lane.test.ts` sends
 * thousands of requests both ways. `npm run bench` measures what it saves.
 */
import { type JSONRPCMessage, SERVER_INFO_META_KEY } from '@modelcontextprotocol/server';
import type { Tool } from '../tools/tool.ts';
import { type CallOrigin, callTool, progressParams, type ProgressReport } from './call-tool.ts';
import type { Caller } from './caller.ts';
import { type PlainCall, readSessionCall, readStatelessCall, STATELESS_REVISION } from './plain-call.ts';
import type { McpDefinition } from './server.ts';

/** Sends a message to the client; `relatedRequestId` names the request that it belongs to. */
export type Send = (
  message: JSONRPCMessage,
  options?: { relatedRequestId: string | number },
) => Promise<void>;

/** What a session's lane is made from. */
export interface SessionLaneParts {
  readonly definition: McpDefinition;
  readonly send: Send;
  /** The revision negotiated, as `callTool` wants it. */
  readonly protocolVersion: () => string;
}

/** The lane of one session. */
export class SessionLane {
  readonly #parts: SessionLaneParts;
  readonly #tools: ReadonlyMap<string, Tool>;
  readonly #calls = new Map<string | number, LaneCall>();

  constructor(parts: SessionLaneParts) {
    this.#parts = parts;
    this.#tools = toolsOf(parts.definition);
  }

  /** Takes a message if it is a plain call; false when the SDK must have it. */
  take(message: JSONRPCMessage, caller: Caller): boolean {
    const call = readSessionCall(message);
    const tool = call && this.#tools.get(call.name);
    if (call === undefined || tool === undefined) return false;
    void this.#run(call, tool, caller);
    return true;
  }

  /** Cancels the call with this id, if it is one of the lane's; it is not answered then. */
  cancel(id: string | number): void {
    this.#calls.get(id)?.cancel();
  }

  /** Cancels every call: the session has ended. */
  close(): void {
    for (const call of this.#calls.values()) call.cancel();
  }

  /** Runs a call and sends its answer. */
  async #run({ id, input, progressToken }: PlainCall, tool: Tool, caller: Caller): Promise<void> {
    const { definition, send, protocolVersion } = this.#parts;
    const origin = new LaneCall(async (report) => {
      if (progressToken === undefined) return;
      const params = progressParams(progressToken, report);
      await send({ jsonrpc: '2.0', method: 'notifications/progress', params }, { relatedRequestId: id });
    });
    this.#calls.set(id, origin);
    const { log, lines } = definition;
    const revision = protocolVersion();
    const result = await callTool({ tool, input, caller, protocolVersion: revision, origin, log, lines });
    // A cancelled call's id may be in use again.
    if (this.#calls.get(id) === origin) this.#calls.delete(id);
    // The fields in the SDK's order. A client that has gone by now misses its answer there, too.
    if (!origin.isCancelled) await send({ result, jsonrpc: '2.0', id }).catch(() => undefined);
  }
}

/** A request's headers: the stateless revision repeats in them what the body says. */
export type StatelessHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A plain call of the stateless revision, ready to run. */
export interface StatelessRun {
  /** Resolves to the body of the answer. */
  readonly answer: (caller: Caller) => Promise<object>;
  /** The client has gone. */
  readonly cancel: () => void;
}

/** The lane of the stateless revision. */
export interface StatelessLane {
  /** Takes a request if it is a plain call whose headers agree with it; undefined when the SDK must have it. */
  take(body: unknown, headers: StatelessHeaders): StatelessRun | undefined;
}

/** Makes the lane of a definition. */
export function createStatelessLane(definition: McpDefinition): StatelessLane {
  const { info, log, lines } = definition;
  const tools = toolsOf(definition);
  const resultMeta = { [SERVER_INFO_META_KEY]: info };
  return {
    take(body, headers) {
      if (headers['mcp-protocol-version'] !== STATELESS_REVISION || headers['mcp-method'] !== 'tools/call')
        return undefined;
      const call = readStatelessCall(body);
      const tool = call && tools.get(call.name);
      if (call === undefined || tool === undefined || headers['mcp-name'] !== call.name) return undefined;
      const origin = new LaneCall(async () => {});
      return {
        cancel: () => origin.cancel(),
        async answer(caller) {
          const { id, input } = call;
          const result = await callTool({
            tool,
            input,
            caller,
            protocolVersion: STATELESS_REVISION,
            origin,
            log,
            lines,
          });
          return { result: { ...result, resultType: 'complete', _meta: resultMeta }, jsonrpc: '2.0', id };
        },
      };
    },
  };
}

/** A call's origin that costs nothing until its tool asks for something. */
class LaneCall implements CallOrigin {
  readonly #report: (report: ProgressReport) => Promise<void>;
  #abort: AbortController | undefined;
  isCancelled = false;

  constructor(report: (report: ProgressReport) => Promise<void>) {
    this.#report = report;
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.isCancelled) this.#abort.abort();
    return this.#abort.signal;
  }

  async progress(...report: ProgressReport): Promise<void> {
    if (!this.isCancelled) await this.#report(report);
  }

  /** Tells the tool, and whoever logs, that nobody waits any more. */
  cancel(): void {
    this.isCancelled = true;
    this.#abort?.abort();
  }
}

/**
 * The tools that the lane may call: none where a feature could have put its own handler in the way, and none with headers for
 * its parameters (`x-mcp-header`), which the SDK compares with the arguments.
 */
function toolsOf(definition: McpDefinition): ReadonlyMap<string, Tool> {
  const known = laneTools.get(definition);
  if (known !== undefined) return known;
  const { tools, features = [], registrations } = definition;
  const excluded = new Set(registrations.filter(hasHeaderParameters).map(({ tool }) => tool));
  const open = features.length > 0 ? [] : tools.filter((tool) => !excluded.has(tool));
  const found = new Map(open.map((tool) => [tool.name, tool]));
  laneTools.set(definition, found);
  return found;
}

/** What `toolsOf` has found out: once for a definition, not for each session. */
const laneTools = new WeakMap<McpDefinition, ReadonlyMap<string, Tool>>();

/** Whether a tool wants parameters repeated in headers. */
function hasHeaderParameters({ config }: McpDefinition['registrations'][number]): boolean {
  return JSON.stringify(config.inputSchema['~standard'].jsonSchema.input()).includes('x-mcp-header');
}

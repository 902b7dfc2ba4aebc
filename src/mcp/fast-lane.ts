/**
 * A short way for plain messages, past the SDK's dispatch: the same `callTool`, and answers of the same form, so that a session
 * whose client sends nothing else needs no `McpServer` at all. Everything else falls through to the SDK. Delete this file and
 * its uses, and no answer changes: `fast-lane.test.ts` sends thousands of messages both ways. `npm run bench` measures what it
 * saves: most of what a call, a session's opening and an idle session would cost.
 */
import {
  type CallToolResult,
  type JSONRPCRequest,
  LATEST_PROTOCOL_VERSION,
  SERVER_INFO_META_KEY,
  SUPPORTED_PROTOCOL_VERSIONS,
  type Tool as ListedTool,
} from '@modelcontextprotocol/server';
import type { Tool } from './tool.ts';
import { type CallOrigin, callTool, progressParams, type ProgressReport } from './call-tool.ts';
import type { Caller } from './caller.ts';
import { EMPTY_LISTS } from './empty-lists.ts';
import type { Reply, RequestId } from './messages.ts';
import { hasPlainParams, isRepeatedIn, type PlainCall, type RequestHeaders } from './plain-call.ts';
import { allowedTools, createMcpServer, listEveryTool, type McpDefinition } from './server.ts';

const lanes = new WeakMap<McpDefinition, Lane>();

/** The lane of a definition; none where a feature could have put its own handler in the way. */
export function laneOf(definition: McpDefinition): Lane | undefined {
  if ((definition.features ?? []).length > 0) return undefined;
  let lane = lanes.get(definition);
  if (lane === undefined) lanes.set(definition, (lane = new Lane(definition)));
  return lane;
}

/** What can be answered without the SDK's server. */
export class Lane {
  readonly #definition: McpDefinition;
  readonly #tools: ReadonlyMap<string, Tool>;
  /** What every answer to `initialize` says but for the revision. */
  readonly #welcome: object;
  /** What `tools/list` shows to a user who may call everything; undefined where there is no such method. */
  readonly #listing: readonly ListedTool[] | undefined;
  /** How the JSON of every result of the stateless revision ends. */
  readonly #resultEnd: string;

  constructor(definition: McpDefinition) {
    const { info, instructions, tools, registrations } = definition;
    // Headers for parameters (`x-mcp-header`) are for the SDK to compare with the arguments.
    const excluded = new Set(registrations.filter(hasHeaderParameters).map(({ tool }) => tool));
    // The SDK itself says what it would say.
    const probe = createMcpServer(definition);
    const listed = listEveryTool(probe);
    this.#definition = definition;
    this.#tools = new Map(tools.filter((tool) => !excluded.has(tool)).map((tool) => [tool.name, tool]));
    this.#welcome = {
      capabilities: probe.server.getCapabilities(),
      serverInfo: info,
      ...(instructions !== undefined && { instructions }),
    };
    this.#listing = listed instanceof Promise ? undefined : listed?.tools;
    const common = { resultType: 'complete', _meta: { [SERVER_INFO_META_KEY]: info } };
    this.#resultEnd = `,${JSON.stringify(common).slice(1)}`;
  }

  /** The answer to `initialize`, as JSON. */
  welcome(request: JSONRPCRequest): string {
    return spellAnswer(request.id, { protocolVersion: negotiate(request.params), ...this.#welcome });
  }

  /** The answer to another request that needs no more than this, as JSON; undefined when the SDK must have it. */
  answerAtOnce({ id, method, params }: JSONRPCRequest, { user }: Caller): string | undefined {
    if (!hasPlainParams(params)) return undefined;
    if (method === 'ping') return spellAnswer(id, {});
    if (method !== 'tools/list' || this.#listing === undefined) return spellEmptyList(id, method);
    return spellAnswer(id, { tools: allowedTools(this.#listing, user, this.#definition.scopes) });
  }

  /** Runs a session's call; undefined when the SDK must have it. */
  run(call: PlainCall, frame: CallFrame): Promise<CallToolResult> | undefined {
    const tool = call.isStateless ? undefined : this.#tools.get(call.name);
    return tool && this.#call(tool, call, frame);
  }

  /** The same for a call that stands alone, whose headers must repeat what the body says. */
  runStateless(
    call: PlainCall,
    headers: RequestHeaders,
    frame: CallFrame,
  ): Promise<CallToolResult> | undefined {
    const tool = isRepeatedIn(headers, call) ? this.#tools.get(call.name) : undefined;
    return tool && this.#call(tool, call, frame);
  }

  /** The answer to a call that stands alone, as JSON. */
  spellStateless(id: RequestId, result: CallToolResult): string {
    // What is the same in every answer is spelled once.
    return frameAnswer(id, `${JSON.stringify(result).slice(0, -1)}${this.#resultEnd}`);
  }

  #call(tool: Tool, { input }: PlainCall, { caller, protocolVersion, origin }: CallFrame) {
    const { use, log, lines, inFlight } = this.#definition;
    return callTool({ tool, input, caller, protocolVersion, origin, use, log, lines, inFlight });
  }
}

/** In whose name and revision a call runs, and how it is cancelled. */
export interface CallFrame {
  readonly caller: Caller;
  readonly protocolVersion: string;
  readonly origin: CallOrigin;
}

/** Whether a tool wants parameters repeated in headers. */
function hasHeaderParameters({ config }: McpDefinition['registrations'][number]): boolean {
  return JSON.stringify(config.inputSchema['~standard'].jsonSchema.input()).includes('x-mcp-header');
}

/** The revision for an `initialize` request: the one asked for, or the latest with sessions. */
export function negotiate(params: JSONRPCRequest['params']): string {
  const asked = String(params?.['protocolVersion']);
  return SUPPORTED_PROTOCOL_VERSIONS.includes(asked) ? asked : LATEST_PROTOCOL_VERSION;
}

/** The answer to a list of what no server without features has. */
function spellEmptyList(id: RequestId, method: string): string | undefined {
  const empty = EMPTY_LISTS.get(method);
  return empty && spellAnswer(id, empty);
}

/** An answer with its fields in the SDK's order. */
export function spellAnswer(id: RequestId, result: object): string {
  return frameAnswer(id, JSON.stringify(result));
}

/** An answer around a result that is JSON already. */
function frameAnswer(id: RequestId, result: string): string {
  return `{"result":${result},"jsonrpc":"2.0","id":${JSON.stringify(id)}}`;
}

/** A call's origin that costs nothing until its tool asks for something. */
export class LaneCall implements CallOrigin {
  readonly reply: Reply | undefined;
  readonly #progressToken: RequestId | undefined;
  #abort: AbortController | undefined;
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
    if (this.isCancelled || this.#progressToken === undefined) return;
    const params = progressParams(this.#progressToken, report);
    this.reply?.stream()?.send({ jsonrpc: '2.0', method: 'notifications/progress', params });
  }

  /** Tells the tool, and whoever logs, that nobody waits any more. */
  cancel(): void {
    this.isCancelled = true;
    this.#abort?.abort();
  }
}

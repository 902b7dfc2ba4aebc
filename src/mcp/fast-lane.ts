/**
 * A short way for plain messages, past the SDK's dispatch: the same `callTool`, and answers of the same form, so that a session
 * whose client sends nothing else needs no `McpServer` at all. Everything else falls through to the SDK. Delete this file
 * and its line in `start-server.ts` (`npm run drop -- short-way`), and no answer changes: `fast-lane.test.ts` sends thousands of messages both ways. `npm run bench` measures what it
 * saves: most of what a call, a session's opening and an idle session would cost.
 */
import {
  type JSONRPCRequest,
  SERVER_INFO_META_KEY,
  type Tool as ListedTool,
} from '@modelcontextprotocol/server';
import type { UserContext } from '../auth/user.ts';
import type { Tool } from './tool.ts';
import { type CallAnswer, callTool } from './call-tool.ts';
import type { Caller } from './caller.ts';
import { listFixedResources, listPrompts, listTemplates } from './catalogue.ts';
import { type CallFrame, frameAnswer, type Lane, negotiate, spellAnswer } from './lane.ts';
import { allowedTools } from './handlers.ts';
import type { RequestId } from './messages.ts';
import { hasPlainParams, isRepeatedIn, type PlainCall, type RequestHeaders } from './plain-call.ts';

import { createMcpServer, listEveryTool, type McpDefinition } from './server.ts';

/** The short way of a definition; none where a feature could have put its own handler in the way, or wants a server of its own kind. */
export function createFastLane(definition: McpDefinition): Lane | undefined {
  const { features = [] } = definition;
  const isForeign = features.some(
    ({ register, options, keepsSessionState = false }) =>
      register !== undefined || options !== undefined || keepsSessionState,
  );
  return isForeign ? undefined : new FastLane(definition);
}

/** What can be answered without the SDK's server. */
class FastLane implements Lane {
  readonly #definition: McpDefinition;
  readonly #tools: ReadonlyMap<string, Tool>;
  /** What every answer to `initialize` says but for the revision. */
  readonly #welcome: object;
  /** What `tools/list` shows to a user who may call everything; undefined where there are no tools. */
  readonly #listing: readonly ListedTool[] | undefined;
  /** How the JSON of every result of the stateless revision ends. */
  readonly #resultEnd: string;
  readonly #resultMeta: object;

  constructor(definition: McpDefinition) {
    const { info, instructions, tools, registrations } = definition;
    const excluded = new Set(registrations.filter(needsSdk).map(({ tool }) => tool));
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
    this.#listing = listed instanceof Promise ? undefined : listed;
    this.#resultMeta = { [SERVER_INFO_META_KEY]: info };
    const common = { resultType: 'complete', _meta: this.#resultMeta };
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
    const found = this.#list(method, user);
    return found && spellAnswer(id, found);
  }

  /** What a list shows to a user; undefined when finding out takes more than this. */
  #list(method: string, user: UserContext): object | undefined {
    const { scopes, catalogue } = this.#definition;
    if (method === 'tools/list') return { tools: allowedTools(this.#listing ?? [], user, scopes) };
    if (method === 'prompts/list') return { prompts: listPrompts(catalogue, user) };
    if (method === 'resources/templates/list') return { resourceTemplates: listTemplates(catalogue, user) };
    if (method !== 'resources/list' || catalogue.listsResources) return undefined;
    return { resources: listFixedResources(catalogue, user) };
  }

  /** Runs a session's call; undefined when the SDK must have it. */
  run(call: PlainCall, frame: CallFrame): Promise<CallAnswer> | undefined {
    const tool = call.isStateless ? undefined : this.#tools.get(call.name);
    return tool && this.#call(tool, call, frame);
  }

  /** The same for a call that stands alone, whose headers must repeat what the body says. */
  runStateless(call: PlainCall, headers: RequestHeaders, frame: CallFrame): Promise<CallAnswer> | undefined {
    const tool = isRepeatedIn(headers, call) ? this.#tools.get(call.name) : undefined;
    return tool && this.#call(tool, call, frame);
  }

  /** The answer to a call that stands alone, as JSON. */
  spellStateless(id: RequestId, result: CallAnswer): string {
    if (result._meta !== undefined) {
      const _meta = { ...result._meta, ...this.#resultMeta };
      return frameAnswer(id, JSON.stringify({ ...result, _meta, resultType: 'complete' }));
    }
    // What is the same in every answer is spelled once.
    return frameAnswer(id, `${JSON.stringify(result).slice(0, -1)}${this.#resultEnd}`);
  }

  #call(tool: Tool, { input }: PlainCall, { caller, protocolVersion, origin }: CallFrame) {
    const { use, log, lines, inFlight } = this.#definition;
    return callTool({ tool, input, caller, protocolVersion, origin, use, log, lines, inFlight });
  }
}

/** Whether a tool's calls are for the SDK: it asks its user, or has parameters (`x-mcp-header`) that headers must repeat. */
function needsSdk({ tool, config }: McpDefinition['registrations'][number]): boolean {
  if (tool.elicits === true) return true;
  return JSON.stringify(config.inputSchema['~standard'].jsonSchema.input()).includes('x-mcp-header');
}

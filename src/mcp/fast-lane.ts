/**
 * The fast lane answers plain messages without the SDK's dispatch: with the same `callTool`, and answers of the same form. A session
 * whose client sends nothing else needs no `McpServer` at all; everything else goes to the SDK. Without this file and its line in
 * `start-server.ts` (`npm run drop -- short-way`) no answer changes: `fast-lane.test.ts` sends thousands of messages both ways. It saves
 * most of the cost of a call, of opening a session and of an idle session; `npm run bench` measures that.
 */
import {
  type JSONRPCNotification,
  type JSONRPCRequest,
  type McpServer,
  ProtocolErrorCode,
  SERVER_INFO_META_KEY,
  type ServerCapabilities,
  type ServerEvent,
  type Tool as ListedTool,
} from '@modelcontextprotocol/server';
import type { UserContext } from '../auth/user.ts';
import type { Tool } from './tool.ts';
import { type CallAnswer, callTool, NO_REVISION } from './call-tool.ts';
import type { Caller } from './caller.ts';
import { listChangeOf } from './changes.ts';
import { listFixedResources, listPrompts, listTemplates } from './catalogue.ts';
import {
  type StatelessAnswer,
  type CallFrame,
  frameAnswer,
  type Lane,
  negotiate,
  spellAnswer,
  type RefusingSession,
} from './lane.ts';
import { allowedTools } from './handlers.ts';
import type { RequestId } from './messages.ts';
import { KnownAnswers } from './known-answers.ts';
import {
  hasPlainParams,
  isMethodRepeatedIn,
  isRepeatedIn,
  type PlainCall,
  type PlainQuestion,
  type RequestHeaders,
} from './plain-call.ts';
import { STATELESS_REVISION } from './plain-meta.ts';
import { createMcpServer, foreignMethods, listEveryTool, type McpDefinition } from './server.ts';

/**
 * Makes the lane of a definition, for those methods whose handlers no feature has replaced; an SDK server on which the features have
 * registered shows which. Returns undefined if a feature keeps state per session, sets options that the lane does not know, or answers
 * every call itself.
 */
export function createFastLane(definition: McpDefinition): Lane | undefined {
  const { features = [] } = definition;
  const keepsState = features.some(({ keepsSessionState = false }) => keepsSessionState);
  const isOdd = features.some(({ options = {} }) =>
    Object.keys(options).some((name) => !KNOWN_OPTIONS.has(name)),
  );
  if (keepsState || isOdd) return undefined;
  const probe = createMcpServer(definition);
  const foreign = foreignMethods(probe);
  return NEEDED.some((method) => foreign.has(method)) ? undefined : new FastLane(definition, probe);
}

/** The methods that the lane needs: if a feature handles one of these, there is no lane. */
const NEEDED = ['initialize', 'notifications', 'ping', 'tools/call', 'tools/list'];

/** Options of the SDK's server that change no answer of the lane. */
const KNOWN_OPTIONS: ReadonlySet<string> = new Set(['capabilities', 'cacheHints', 'requestState']);

/** The lane of one server definition. */
class FastLane implements Lane {
  readonly #definition: McpDefinition;
  readonly #tools: ReadonlyMap<string, Tool>;
  /** The names of all tools, those of the lane and those left to the SDK. */
  readonly #names: ReadonlySet<string>;
  /** The result of `initialize` without its revision. */
  readonly #welcome: object;
  /** The tools as `tools/list` shows them to a user who may call everything; undefined if there are none, or features register some themselves. */
  readonly #listing: readonly ListedTool[] | undefined;
  /** The end of the JSON of every result of the stateless revision. */
  readonly #resultEnd: string;
  readonly #resultMeta: object;
  readonly #knownLists: KnownAnswers<string>;
  readonly #knownStateless: KnownAnswers<{
    readonly spell: (id: RequestId) => string;
    readonly head: StatelessAnswer['head'];
  }>;

  /** The methods that are left to the SDK, because a feature answers them. */
  readonly #foreign: ReadonlySet<string>;
  readonly #capabilities: ServerCapabilities;
  readonly keepsServer: boolean;

  constructor(definition: McpDefinition, probe: McpServer) {
    const { info, instructions, tools, registrations, features = [] } = definition;
    const excluded = new Set(registrations.filter(needsSdk).map(({ tool }) => tool));
    // The SDK is asked for the list as it would send it.
    const listed = listEveryTool(probe);
    const isOurs = !(listed instanceof Promise) && listed?.length === tools.length;
    this.#definition = definition;
    this.#tools = new Map(tools.filter((tool) => !excluded.has(tool)).map((tool) => [tool.name, tool]));
    this.#names = new Set(tools.map(({ name }) => name));
    this.#welcome = {
      capabilities: probe.server.getCapabilities(),
      serverInfo: info,
      ...(instructions !== undefined && { instructions }),
    };
    // A tool that a feature has registered may come and go: then lists, and calls of unknown tools, are left to the SDK.
    this.#listing = isOurs ? listed : undefined;
    this.#foreign = new Set([
      ...foreignMethods(probe),
      ...(isOurs || tools.length === 0 ? [] : ['tools/list']),
    ]);
    this.#capabilities = probe.server.getCapabilities();
    this.keepsServer = features.some(
      ({ register, options }) => register !== undefined || options !== undefined,
    );
    this.#resultMeta = { [SERVER_INFO_META_KEY]: info };
    const common = { resultType: 'complete', _meta: this.#resultMeta };
    this.#resultEnd = `,${JSON.stringify(common).slice(1)}`;
    this.#knownLists = new KnownAnswers(definition);
    this.#knownStateless = new KnownAnswers(definition);
  }

  listChangeOf(event: ServerEvent): JSONRPCNotification | undefined {
    return listChangeOf(event, this.#capabilities);
  }

  /** The answer to `initialize`, as JSON. */
  welcome(request: JSONRPCRequest): string {
    return spellAnswer(request.id, { protocolVersion: negotiate(request.params), ...this.#welcome });
  }

  /** The answer to any other request that can be given at once, as JSON; undefined when the SDK must have it. */
  answerAtOnce({ id, method, params }: JSONRPCRequest, { user }: Caller): string | undefined {
    if (!hasPlainParams(params)) return undefined;
    if (method === 'ping') return spellAnswer(id, {});
    if (this.#foreign.has(method)) return undefined;
    const known = this.#knownLists.find(method, user);
    if (known !== undefined) return frameAnswer(id, known);
    const found = this.#list(method, user);
    return found && frameAnswer(id, this.#knownLists.keep(method, user, JSON.stringify(found)));
  }

  /** The result of a list method for a user; undefined when the SDK must make it. */
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

  /** The same for a call of the stateless revision, whose headers must repeat what the body says. */
  runStateless(call: PlainCall, headers: RequestHeaders, frame: CallFrame): Promise<CallAnswer> | undefined {
    const tool = isRepeatedIn(headers, call) ? this.#tools.get(call.name) : undefined;
    return tool && this.#call(tool, call, frame);
  }

  /** The error for a call of an unknown tool, as JSON; undefined for a known tool, or when the SDK must answer. */
  refuse({ id, name }: PlainCall, caller: Caller, session: RefusingSession): string | undefined {
    if (this.#listing === undefined || this.#names.has(name)) return undefined;
    this.#definition.records.noteUnknown(caller, session.protocolVersion ?? NO_REVISION);
    const error = { code: ProtocolErrorCode.InvalidParams, message: `Tool ${name} not found` };
    return JSON.stringify({ jsonrpc: '2.0', id, error });
  }

  /** The same for a call of the stateless revision. */
  refuseStateless(call: PlainCall, headers: RequestHeaders, caller: Caller): string | undefined {
    return isRepeatedIn(headers, call) ? this.refuse(call, caller, STATELESS) : undefined;
  }

  /** The answer that the SDK gave when a user with the same scopes asked the same. */
  recall(
    { id, method }: PlainQuestion,
    headers: RequestHeaders,
    user: UserContext,
  ): StatelessAnswer | undefined {
    if (!isMethodRepeatedIn(headers, method) || this.#foreign.has(method)) return undefined;
    const known = this.#knownStateless.find(method, user);
    return known && { text: known.spell(id), head: known.head };
  }

  /** Remembers an answer of the SDK's for others with the same scopes. */
  learn({ id, method }: PlainQuestion, user: UserContext, { text, head }: StatelessAnswer): void {
    // Answers that are computed for each request are not kept, nor are errors.
    if (this.#foreign.has(method)) return;
    if (method === 'resources/list' && this.#definition.catalogue.listsResources) return;
    if (head.status !== 404 && !text.startsWith('{"result":')) return;
    const [before, after, ...more] = text.split(`"jsonrpc":"2.0","id":${JSON.stringify(id)}`);
    if (before === undefined || after === undefined || more.length > 0) return;
    const spell = (other: RequestId): string =>
      `${before}"jsonrpc":"2.0","id":${JSON.stringify(other)}${after}`;
    this.#knownStateless.keep(method, user, { spell, head });
  }

  /** The answer to a call of the stateless revision, as JSON. */
  spellStateless(id: RequestId, result: CallAnswer): string {
    if (result._meta !== undefined) {
      const _meta = { ...result._meta, ...this.#resultMeta };
      return frameAnswer(id, JSON.stringify({ ...result, _meta, resultType: 'complete' }));
    }
    // The part that is the same in every answer is serialized once.
    return frameAnswer(id, `${JSON.stringify(result).slice(0, -1)}${this.#resultEnd}`);
  }

  /** Runs a tool. */
  #call(tool: Tool, { input }: PlainCall, { caller, protocolVersion, origin }: CallFrame) {
    return callTool({ tool, input, caller, protocolVersion, origin, definition: this.#definition });
  }
}

/** Stands for the session of a stateless call, which has none: its revision, for the log. */
const STATELESS: RefusingSession = { protocolVersion: STATELESS_REVISION };

/** Whether a tool's calls are left to the SDK: those of tools that elicit, or that have parameters which headers must repeat (`x-mcp-header`). */
function needsSdk({ tool, config }: McpDefinition['registrations'][number]): boolean {
  if (tool.elicits === true) return true;
  return JSON.stringify(config.inputSchema['~standard'].jsonSchema.input()).includes('x-mcp-header');
}

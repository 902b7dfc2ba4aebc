/**
 * A short way for plain messages, past the SDK's dispatch: the same `callTool`, and answers of the same form, so that a session
 * whose client sends nothing else needs no `McpServer` at all. Everything else falls through to the SDK. Delete this file
 * and its line in `start-server.ts` (`npm run drop -- short-way`), and no answer changes: `fast-lane.test.ts` sends thousands of messages both ways. `npm run bench` measures what it
 * saves: most of what a call, a session's opening and an idle session would cost.
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
  type AloneAnswer,
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
 * The short way of a definition, for the messages whose handlers are still ours: the SDK's own server is asked, once features have
 * registered on it. None where a feature wants to hear of each session, or to answer every call itself.
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

/** What must be ours for there to be a short way at all. */
const NEEDED = ['initialize', 'notifications', 'ping', 'tools/call', 'tools/list'];

/** Options of the SDK's server that change nothing about what goes the short way. */
const KNOWN_OPTIONS: ReadonlySet<string> = new Set(['capabilities', 'cacheHints', 'requestState']);

/** What can be answered without the SDK's server. */
class FastLane implements Lane {
  readonly #definition: McpDefinition;
  readonly #tools: ReadonlyMap<string, Tool>;
  /** Those of all tools, its own and the SDK's. */
  readonly #names: ReadonlySet<string>;
  /** What every answer to `initialize` says but for the revision. */
  readonly #welcome: object;
  /** What `tools/list` shows to a user who may call everything; undefined where there are no tools. */
  readonly #listing: readonly ListedTool[] | undefined;
  /** How the JSON of every result of the stateless revision ends. */
  readonly #resultEnd: string;
  readonly #resultMeta: object;
  readonly #knownLists: KnownAnswers<string>;
  readonly #knownAlone: KnownAnswers<{
    readonly spell: (id: RequestId) => string;
    readonly head: AloneAnswer['head'];
  }>;

  /** Methods that a feature answers as well, or instead. */
  readonly #foreign: ReadonlySet<string>;
  readonly #capabilities: ServerCapabilities;
  readonly keepsServer: boolean;

  constructor(definition: McpDefinition, probe: McpServer) {
    const { info, instructions, tools, registrations, features = [] } = definition;
    const excluded = new Set(registrations.filter(needsSdk).map(({ tool }) => tool));
    // The SDK itself says what it would say.
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
    // A tool that a feature has registered may come and go: then the list is for the SDK to say, and so is which tool there is not.
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
    this.#knownAlone = new KnownAnswers(definition);
  }

  listChangeOf(event: ServerEvent): JSONRPCNotification | undefined {
    return listChangeOf(event, this.#capabilities);
  }

  /** The answer to `initialize`, as JSON. */
  welcome(request: JSONRPCRequest): string {
    return spellAnswer(request.id, { protocolVersion: negotiate(request.params), ...this.#welcome });
  }

  /** The answer to another request that needs no more than this, as JSON; undefined when the SDK must have it. */
  answerAtOnce({ id, method, params }: JSONRPCRequest, { user }: Caller): string | undefined {
    if (!hasPlainParams(params)) return undefined;
    if (method === 'ping') return spellAnswer(id, {});
    if (this.#foreign.has(method)) return undefined;
    const known = this.#knownLists.find(method, user);
    if (known !== undefined) return frameAnswer(id, known);
    const found = this.#list(method, user);
    return found && frameAnswer(id, this.#knownLists.keep(method, user, JSON.stringify(found)));
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

  /** The error that a call of no tool gets, as JSON. */
  refuse({ id, name }: PlainCall, caller: Caller, session: RefusingSession): string | undefined {
    if (this.#listing === undefined || this.#names.has(name)) return undefined;
    this.#definition.records.noteUnknown(caller, session.protocolVersion ?? NO_REVISION);
    const error = { code: ProtocolErrorCode.InvalidParams, message: `Tool ${name} not found` };
    return JSON.stringify({ jsonrpc: '2.0', id, error });
  }

  /** The same for a call that stands alone. */
  refuseStateless(call: PlainCall, headers: RequestHeaders, caller: Caller): string | undefined {
    return isRepeatedIn(headers, call) ? this.refuse(call, caller, STATELESS) : undefined;
  }

  /** What the SDK said to this question of another user with the same scopes. */
  recall({ id, method }: PlainQuestion, headers: RequestHeaders, user: UserContext): AloneAnswer | undefined {
    if (!isMethodRepeatedIn(headers, method) || this.#foreign.has(method)) return undefined;
    const known = this.#knownAlone.find(method, user);
    return known && { text: known.spell(id), head: known.head };
  }

  /** Hears what the SDK says to a question. */
  learn({ id, method }: PlainQuestion, user: UserContext, { text, head }: AloneAnswer): void {
    // What is found out when somebody asks is another thing each time, and so is what has gone wrong.
    if (this.#foreign.has(method)) return;
    if (method === 'resources/list' && this.#definition.catalogue.listsResources) return;
    if (head.status !== 404 && !text.startsWith('{"result":')) return;
    const [before, after, ...more] = text.split(`"jsonrpc":"2.0","id":${JSON.stringify(id)}`);
    if (before === undefined || after === undefined || more.length > 0) return;
    const spell = (other: RequestId): string =>
      `${before}"jsonrpc":"2.0","id":${JSON.stringify(other)}${after}`;
    this.#knownAlone.keep(method, user, { spell, head });
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
    return callTool({ tool, input, caller, protocolVersion, origin, definition: this.#definition });
  }
}

/** Where a call is refused that stands alone. */
const STATELESS: RefusingSession = { protocolVersion: STATELESS_REVISION };

/** Whether a tool's calls are for the SDK: it asks its user, or has parameters (`x-mcp-header`) that headers must repeat. */
function needsSdk({ tool, config }: McpDefinition['registrations'][number]): boolean {
  if (tool.elicits === true) return true;
  return JSON.stringify(config.inputSchema['~standard'].jsonSchema.input()).includes('x-mcp-header');
}

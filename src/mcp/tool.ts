/** What a tool is: a name, a description, zod schemas and a function. Knows zod, not the MCP SDK. */
import type { Logger } from 'pino';
import type { z } from 'zod';
import type { UserContext } from '../auth/user.ts';
import type { Content, Icon, Meta } from './content.ts';
import type { UseService } from './service.ts';

/** What serves a request has at hand: a tool, a prompt, a resource. */
export interface CallContext {
  /** Who calls, taken from the credential of this very request. */
  readonly user: UserContext;
  /** Gives a service of this server: `use(lessons).find(id)`. */
  readonly use: UseService;
  /** The server's log; each line carries the request id, and the trace id where there is one. Never log the input: it belongs to the user. */
  readonly log: Logger;
  /** Headers for outside calls, which are part of the client's trace with them: `fetch(url, { headers: traceHeaders })`. Often none. */
  readonly traceHeaders: Readonly<Record<string, string>>;
  /** Aborted when the client cancels the call or goes away: hand it to whatever takes long. */
  readonly signal: AbortSignal;
  /** How the call arrived. */
  readonly connection: Pick<CallConnection, 'transport' | 'protocolVersion'>;
}

/** What a running tool has at hand besides its input. */
export interface ToolContext extends CallContext {
  readonly connection: CallConnection;
  /**
   * Tells the client how far the call is; does nothing when the client did not ask for it. What is no more than before is not sent, as
   * the specification forbids.
   */
  progress(done: number, total?: number, message?: string): Promise<void>;
  /**
   * Tells this user's clients, those of other processes too, that a list shows this user something else than before: they ask for it again.
   * Clients of 2026-07-28 that listen are told whoever's they are.
   */
  listChanged(list: ChangingList): void;
}

/** What a client may have listed. */
export type ChangingList = 'tools' | 'prompts' | 'resources';

/** What a tool that `elicits` has at hand besides. */
export interface AskingContext extends ToolContext {
  /**
   * Asks the user with a form of flat fields, once a call. The question ends the run, and the answer begins it anew: ask before you change
   * anything. Many clients cannot ask, and a user may decline: without an answer a tool does less, or says what to call it with.
   */
  elicit<Form extends z.ZodObject>(question: Question<Form>): Promise<ElicitAnswer<Form>>;
}

/** A question to the user. */
export interface Question<Form extends z.ZodObject> {
  readonly message: string;
  /** Texts, numbers, booleans and choices; each field says what it means. */
  readonly form: Form;
}

/** What became of a question: `unavailable` where the client cannot ask. */
export type ElicitAnswer<Form extends z.ZodObject> =
  | { readonly action: 'accept'; readonly content: z.output<Form> }
  | { readonly action: 'decline' | 'cancel' | 'unavailable' };

/** How a call arrived. */
export interface CallConnection {
  readonly transport: TransportName;
  readonly protocolVersion: string;
  /**
   * Ends the response, whose client asks for the answer again after so many milliseconds (up to 240,000), while the tool goes on: for calls
   * that take minutes, through proxies that cut what is open for long. Returns false where the client would not come back; then
   * nothing happens. Only clients of 2025-11-25 do, and not all of them: never pause for those of whom you know nothing.
   */
  pause(retryMs: number): boolean;
}

/** The transports by the names that client configurations use. */
export type TransportName = 'sse' | 'streamable-http' | 'stdio';

/** Hints for clients, as in the MCP specification's ToolAnnotations; a client must not rely on them. */
export interface ToolAnnotations {
  readonly readOnlyHint?: boolean;
  readonly destructiveHint?: boolean;
  readonly idempotentHint?: boolean;
  readonly openWorldHint?: boolean;
}

/** What every tool tells about itself. */
interface ToolFace<Input extends z.ZodObject, Output extends z.ZodObject | undefined> {
  /** Letters, digits, `_`, `-` and `.`, at most 64: what every client accepts. */
  readonly name: string;
  readonly title: string;
  /** For the model: what the tool does and when to use it. */
  readonly description: string;
  readonly input: Input;
  /** With it the answer is structured: `run` returns an object of this shape. */
  readonly output?: Output;
  /** The scope a user needs to see and call the tool; without it every user may. */
  readonly scope?: string;
  readonly annotations?: ToolAnnotations;
  /** Shown beside the title by clients that do so. */
  readonly icons?: readonly Icon[];
  /** For clients that know its keys: the view of an MCP App, say. */
  readonly _meta?: Meta;
  /** The longest that a call may take, waiting included: then its `signal` aborts and the model is told. Without it a call takes what it takes. */
  readonly timeoutMs?: number;
  /** So many calls run at once, of all users together; others wait, and users take turns. Without it there is no such limit. */
  readonly concurrency?: number;
  /** So many calls one of it counts for (`CALLS_PER_MINUTE`): what is dear is called less often. Default: 1; 0: it does not count. */
  readonly cost?: number;
}

/** What `run` may return: the structured answer, or text or pieces of content; as a {@link ToolResult}, with more to it. */
type ToolAnswer<Output extends z.ZodObject | undefined> = Output extends z.ZodObject
  ? z.input<Output> | ToolResult<z.input<Output>>
  : string | readonly Content[] | ToolResult;

/** An answer with more to it: content of its own beside the structured answer, which is else spelled out as JSON, and `_meta`. */
export class ToolResult<Structured = undefined> {
  readonly content: string | readonly Content[] | undefined;
  readonly structured: Structured | undefined;
  readonly _meta: Meta | undefined;

  constructor({ content, structured, _meta }: ToolResultParts<Structured>) {
    this.content = content;
    this.structured = structured;
    this._meta = _meta;
  }
}

/** What a {@link ToolResult} is made of: at least one of the two. */
type ToolResultParts<Structured> = { readonly _meta?: Meta } & (
  | { readonly content: string | readonly Content[]; readonly structured?: Structured }
  | { readonly content?: string | readonly Content[]; readonly structured: Structured }
);

/** A tool as its file writes it, with the types of its own schemas. */
export interface ToolDefinition<
  Input extends z.ZodObject,
  Output extends z.ZodObject | undefined,
  Elicits extends boolean,
> extends ToolFace<Input, Output> {
  /** Whether it may ask the user, by `elicit`. */
  readonly elicits?: Elicits;
  run(
    input: z.output<Input>,
    context: Elicits extends true ? AskingContext : ToolContext,
  ): ToolAnswer<Output> | Promise<ToolAnswer<Output>>;
}

/** A tool as the server handles it. `run` takes what `input` has parsed, and returns its answer or a promise of it. */
export interface Tool extends ToolFace<z.ZodObject, z.ZodObject | undefined> {
  readonly elicits?: boolean;
  run(input: Readonly<Record<string, unknown>>, context: AskingContext): unknown;
}

/** A failure the model should read and can act on. Anything else a tool throws stays in the log. */
export class ToolError extends Error {
  override readonly name = 'ToolError';
}

/** Declares a tool; its schemas give `run` its types. */
export function defineTool<
  Input extends z.ZodObject,
  Output extends z.ZodObject | undefined = undefined,
  Elicits extends boolean = false,
>(definition: ToolDefinition<Input, Output, Elicits>): Tool {
  const { name, timeoutMs = 1, concurrency = 1, cost = 1 } = definition;
  if (!TOOL_NAME.test(name))
    throw new Error(
      `Not a tool name: ${JSON.stringify(name)}. It takes 1 to 64 letters, digits, dots, _ and -.`,
    );
  if (!(timeoutMs >= 1 && timeoutMs <= LONGEST_MS))
    throw new Error(`${name}: timeoutMs must be from 1 to ${LONGEST_MS}.`);
  if (!Number.isSafeInteger(concurrency) || concurrency < 1)
    throw new Error(`${name}: concurrency must be a whole number above 0.`);
  if (!(cost >= 0 && cost <= MAX_COST)) throw new Error(`${name}: cost must be from 0 to ${MAX_COST}.`);
  const { run, ...face } = definition;
  return {
    ...face,
    // oxlint-disable-next-line no-unsafe-type-assertion -- the server hands over only what `input` has parsed
    run: (input, context) => run.call(definition, input as z.output<Input>, context),
  };
}

/** The longest time that a timer of Node takes. */
const LONGEST_MS = 2 ** 31 - 1;

/** A call that counts for more would keep its user waiting for hours. */
const MAX_COST = 10_000;

const TOOL_NAME = /^[A-Za-z0-9_.-]{1,64}$/;

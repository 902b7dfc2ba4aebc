/** What a tool is: a name, a description, zod schemas and a function. Depends on zod, not on the MCP SDK. */
import type { Logger } from 'pino';
import type { z } from 'zod';
import type { UserContext } from '../auth/user.ts';
import type { Content, Icon, Meta } from './content.ts';
import type { UseService } from './service.ts';

/** The context in which a tool, a prompt or a resource serves a request. */
export interface CallContext {
  /** The user who calls, from the credential of this very request. */
  readonly user: UserContext;
  /** Returns a service of this server: `use(lessons).find(id)`. */
  readonly use: UseService;
  /** The server's log; each line carries the request id, and the trace id if there is one. Never log the input: it belongs to the user. */
  readonly log: Logger;
  /** Headers that make an outside call part of the client's trace: `fetch(url, { headers: traceHeaders })`. Often empty. */
  readonly traceHeaders: Readonly<Record<string, string>>;
  /** Aborted when the client cancels the call or goes away: pass it to everything that may take long. */
  readonly signal: AbortSignal;
  /** How the call arrived. */
  readonly connection: Pick<CallConnection, 'transport' | 'protocolVersion'>;
}

/** The context of a running tool. */
export interface ToolContext extends CallContext {
  readonly connection: CallConnection;
  /**
   * Reports progress to the client; does nothing if the client did not ask for it. A value that is not above the one before is not sent,
   * since the specification forbids it.
   */
  progress(done: number, total?: number, message?: string): Promise<void>;
  /**
   * Notifies this user's clients, in every process, that a list has changed for this user: they ask for it again. Clients of 2026-07-28
   * that have subscribed are notified whichever user they belong to.
   */
  listChanged(list: ChangingList): void;
}

/** The lists whose changes clients are notified of. */
export type ChangingList = 'tools' | 'prompts' | 'resources';

/** The context of a tool that `elicits`. */
export interface AskingContext extends ToolContext {
  /**
   * Asks the user with a form of flat fields, once a call. The question ends the run, and the answer starts the tool again from its
   * beginning: ask before you change anything. Many clients do not support elicitation, and a user may decline: without an answer a tool
   * does less, or says which arguments to call it with.
   */
  elicit<Form extends z.ZodObject>(question: Question<Form>): Promise<ElicitAnswer<Form>>;
}

/** A question to the user. */
export interface Question<Form extends z.ZodObject> {
  readonly message: string;
  /** The fields: strings, numbers, booleans and enums. Describe what each field means. */
  readonly form: Form;
}

/** The outcome of a question: `unavailable` if the client cannot ask. */
export type ElicitAnswer<Form extends z.ZodObject> =
  | { readonly action: 'accept'; readonly content: z.output<Form> }
  | { readonly action: 'decline' | 'cancel' | 'unavailable' };

/** How a call arrived. */
export interface CallConnection {
  readonly transport: TransportName;
  readonly protocolVersion: string;
  /**
   * Ends the response while the tool goes on; the client asks for the answer again after `retryMs` (up to 240,000). It is for calls that
   * take minutes, through proxies that cut long responses. Returns false, and does nothing, if the client would not come back. Only clients
   * of 2025-11-25 come back, and not all of them: never pause for clients that you do not know.
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

/** What every tool declares about itself. */
interface ToolFace<Input extends z.ZodObject, Output extends z.ZodObject | undefined> {
  /** Letters, digits, `_`, `-` and `.`, at most 64: what every client accepts. */
  readonly name: string;
  readonly title: string;
  /** For the model: what the tool does and when to use it. */
  readonly description: string;
  readonly input: Input;
  /** The schema of the structured output. With it, `run` returns an object of this shape. */
  readonly output?: Output;
  /** The scope a user needs to see and call the tool; without it every user may. */
  readonly scope?: string;
  readonly annotations?: ToolAnnotations;
  /** Icons that some clients show beside the title. */
  readonly icons?: readonly Icon[];
  /** Data for clients that know its keys, such as the view of an MCP App. */
  readonly _meta?: Meta;
  /** How long a call may take, including the wait for its turn: after that its `signal` aborts and the model is told. Default: no limit. */
  readonly timeoutMs?: number;
  /** How many calls run at once, of all users together; others wait, and users take turns. Default: no limit. */
  readonly concurrency?: number;
  /** How many calls one call counts for (`CALLS_PER_MINUTE`), so that an expensive tool is called less often. Default: 1; 0: it does not count. */
  readonly cost?: number;
}

/** What `run` may return: the structured output, or else a text or pieces of content; or a {@link ToolResult}, which can hold more. */
type ToolAnswer<Output extends z.ZodObject | undefined> = Output extends z.ZodObject
  ? DeepReadonly<z.input<Output>> | ToolResult<DeepReadonly<z.input<Output>>>
  : string | readonly Content[] | ToolResult;

/** A value that is only read: its lists and fields may be readonly. */
type DeepReadonly<Value> = Value extends object
  ? { readonly [Key in keyof Value]: DeepReadonly<Value[Key]> }
  : Value;

/** An answer that can have `_meta`, and content of its own beside the structured output; without such content that is serialized as JSON. */
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

/** The parts of a {@link ToolResult}: content, structured output or both. */
type ToolResultParts<Structured> = { readonly _meta?: Meta } & (
  | { readonly content: string | readonly Content[]; readonly structured?: Structured }
  | { readonly content?: string | readonly Content[]; readonly structured: Structured }
);

/** A tool as its file declares it, with the types of its own schemas. */
export interface ToolDefinition<
  Input extends z.ZodObject,
  Output extends z.ZodObject | undefined,
  Elicits extends boolean,
> extends ToolFace<Input, Output> {
  /** Whether it may ask the user, with `elicit`. */
  readonly elicits?: Elicits;
  run(
    input: z.output<Input>,
    context: Elicits extends true ? AskingContext : ToolContext,
  ): ToolAnswer<Output> | Promise<ToolAnswer<Output>>;
}

/** A tool as the server handles it. `run` takes the input that `input` has parsed, and returns the answer or a promise of it. */
export interface Tool extends ToolFace<z.ZodObject, z.ZodObject | undefined> {
  readonly elicits?: boolean;
  run(input: Readonly<Record<string, unknown>>, context: AskingContext): unknown;
}

/** A failure the model should read and can act on. Anything else a tool throws stays in the log. */
export class ToolError extends Error {
  override readonly name = 'ToolError';
}

/**
 * Declares a tool; its schemas give `run` its types.
 * @throws {Error} when the name, `timeoutMs`, `concurrency` or `cost` is out of bounds
 */
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

/** The longest delay of a Node.js timer. */
const LONGEST_MS = 2 ** 31 - 1;

/** The highest cost: a call that counts for more would make its user wait for hours. */
const MAX_COST = 10_000;

const TOOL_NAME = /^[A-Za-z0-9_.-]{1,64}$/;

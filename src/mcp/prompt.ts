/** What a prompt is: a template of messages that a user chooses in the client and the server fills in. */
import type { GetPromptResult, Prompt as ListedPrompt } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { type Completer, completerOf, type Completers, NO_FIELDS, type NoFields } from './completion.ts';
import type { Content, Icon, Meta } from './content.ts';
import { requireTextFields } from './text-fields.ts';
import { type CallContext, ToolError } from './tool.ts';
import { toListedIcons } from './tool-registration.ts';
import { toContent } from './tool-result.ts';

/** One message of a prompt. */
export interface PromptMessage {
  readonly role: 'user' | 'assistant';
  readonly content: Content;
}

/** A prompt as its file declares it, with the types of its own arguments. */
export interface PromptDefinition<Args extends z.ZodObject> {
  /** Clients show it as a command: keep it short and in lower case. */
  readonly name: string;
  readonly title: string;
  /** For the user who chooses it. */
  readonly description: string;
  /** The schema of the arguments. Clients send every argument as a string: for a number use `z.coerce.number()`. */
  readonly args?: Args;
  /** The scope a user needs to see and use it; without it every user may. */
  readonly scope?: string;
  /** Completers, whose values the client offers while its user fills in an argument. */
  readonly complete?: Completers<Args>;
  readonly icons?: readonly Icon[];
  readonly _meta?: Meta;
  /** Returns the prompt: a text, which becomes one user message, or several messages. Throw `ToolError` for what the user should read. */
  run(args: z.output<Args>, context: CallContext): PromptAnswer | Promise<PromptAnswer>;
}

type PromptAnswer = string | readonly PromptMessage[];

/** A prompt as the server handles it. */
export interface Prompt {
  readonly name: string;
  readonly scope: string | undefined;
  /** Its entry in `prompts/list`. */
  readonly listed: ListedPrompt;
  completerOf(argument: string): Completer | undefined;
  /**
   * Fills in the prompt.
   * @throws {ToolError} when the arguments do not match their schema, or when the prompt itself throws one
   */
  run(args: unknown, context: CallContext): Promise<GetPromptResult>;
}

/**
 * Declares a prompt; the schema of its arguments gives `run` its types.
 * @throws {Error} when an argument takes no text
 */
export function definePrompt<Args extends z.ZodObject = NoFields>(
  definition: PromptDefinition<Args>,
): Prompt {
  const { name, title, description, args, scope, complete, icons, _meta } = definition;
  requireTextFields(`The prompt ${name}`, args?.shape ?? {});
  return {
    name,
    scope,
    listed: {
      name,
      title,
      description,
      ...(args !== undefined && { arguments: describeArguments(args) }),
      ...(icons !== undefined && { icons: toListedIcons(icons) }),
      ...(_meta !== undefined && { _meta: { ..._meta } }),
    },
    completerOf: (argument) => completerOf(complete, argument),
    async run(given, context) {
      const parsed = (args ?? NO_FIELDS).safeParse(given ?? {});
      if (!parsed.success) {
        throw new ToolError(`Invalid arguments for prompt ${name}: ${z.prettifyError(parsed.error)}`);
      }
      // oxlint-disable-next-line no-unsafe-type-assertion -- the definition's own schema has parsed it
      const answer = await definition.run(parsed.data as z.output<Args>, context);
      const messages: readonly PromptMessage[] =
        typeof answer === 'string' ? [{ role: 'user', content: { type: 'text', text: answer } }] : answer;
      return {
        description,
        messages: messages.map(({ role, content }) => ({ role: ROLE.parse(role), content: one(content) })),
      };
    },
  };
}

const ROLE = z.enum(['user', 'assistant']);

/**
 * Checks a piece of content.
 * @throws when it is not valid content
 */
function one(content: Content): GetPromptResult['messages'][number]['content'] {
  const [checked] = toContent([content]);
  if (checked === undefined) throw new Error('No content.');
  return checked;
}

/** The arguments as `prompts/list` shows them. */
function describeArguments(args: z.ZodObject): NonNullable<ListedPrompt['arguments']> {
  // Only names and descriptions are shown: an argument may be converted to what JSON does not have, such as a date.
  const { properties = {}, required = [] } = z.toJSONSchema(args, { io: 'input', unrepresentable: 'any' });
  return Object.entries(properties).map(([name, schema]) => {
    const isRequired = required.includes(name);
    const description = typeof schema === 'object' ? schema.description : undefined;
    return description === undefined
      ? { name, required: isRequired }
      : { name, description, required: isRequired };
  });
}

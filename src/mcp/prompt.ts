/** What a prompt is: words that a user chooses in the client, filled in by the server. */
import type { GetPromptResult, Prompt as ListedPrompt } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { type Completer, completerOf, type Completers, NO_FIELDS, type NoFields } from './completion.ts';
import type { Content, Icon, Meta } from './content.ts';
import { type CallContext, ToolError } from './tool.ts';
import { toListedIcons } from './tool-registration.ts';
import { toContent } from './tool-result.ts';

/** One message of a prompt. */
export interface PromptMessage {
  readonly role: 'user' | 'assistant';
  readonly content: Content;
}

/** A prompt as its file writes it, with the types of its own arguments. */
export interface PromptDefinition<Args extends z.ZodObject> {
  /** Clients show it as a command: short, in small letters. */
  readonly name: string;
  readonly title: string;
  /** For the user who chooses it. */
  readonly description: string;
  /** Clients send texts: each argument's schema takes one. */
  readonly args?: Args;
  /** The scope a user needs to see and use it; without it every user may. */
  readonly scope?: string;
  /** What the client offers while its user fills in an argument. */
  readonly complete?: Completers<Args>;
  readonly icons?: readonly Icon[];
  readonly _meta?: Meta;
  /** The prompt's words: one message of the user's, or several messages. Throw `ToolError` for what the user should read. */
  run(args: z.output<Args>, context: CallContext): PromptAnswer | Promise<PromptAnswer>;
}

type PromptAnswer = string | readonly PromptMessage[];

/** A prompt as the server handles it. */
export interface Prompt {
  readonly name: string;
  readonly scope: string | undefined;
  /** What lists show of it. */
  readonly listed: ListedPrompt;
  completerOf(argument: string): Completer | undefined;
  /**
   * Fills it in.
   * @throws {ToolError} when the arguments do not fit, or as the prompt itself has it
   */
  run(args: unknown, context: CallContext): Promise<GetPromptResult>;
}

/** Declares a prompt; the schema of its arguments gives `run` its types. */
export function definePrompt<Args extends z.ZodObject = NoFields>(
  definition: PromptDefinition<Args>,
): Prompt {
  const { name, title, description, args, scope, complete, icons, _meta } = definition;
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

/** A piece of content, checked. */
function one(content: Content): GetPromptResult['messages'][number]['content'] {
  const [checked] = toContent([content]);
  if (checked === undefined) throw new Error('No content.');
  return checked;
}

/** The arguments as lists show them. */
function describeArguments(args: z.ZodObject): NonNullable<ListedPrompt['arguments']> {
  const { properties = {}, required = [] } = z.toJSONSchema(args, { io: 'input' });
  return Object.entries(properties).map(([name, schema]) => {
    const isRequired = required.includes(name);
    const description = typeof schema === 'object' ? schema.description : undefined;
    return description === undefined
      ? { name, required: isRequired }
      : { name, description, required: isRequired };
  });
}

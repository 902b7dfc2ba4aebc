/**
 * What a tool asks its user. The question ends the run, and the answer begins another one: of 2026-07-28 that is how questions are
 * asked, and for the revisions before it the SDK asks while the call is open, and then has it run again.
 */
import {
  inputRequired,
  type InputRequiredResult,
  inputResponse,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { type ElicitAnswer, type Question, ToolError } from './tool.ts';

/** Whether the client can ask its user, and what has been answered. */
export interface Elicitation {
  readonly isOffered: boolean;
  readonly response: ReturnType<typeof inputResponse>;
}

/** The one question of a call. */
const KEY = 'question';

/** What the SDK knows of the client and its answer. */
export function elicitationOf({ server }: McpServer, { mcpReq }: ServerContext): Elicitation {
  const { elicitation } = server.getClientCapabilities() ?? {};
  return {
    // A client that says nothing of the ways in which it can ask means forms.
    isOffered: elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined),
    response: inputResponse(mcpReq.inputResponses, KEY),
  };
}

/**
 * The answer to a question; throws when there is none yet, after `open` has taken what is to be sent to the client.
 * @throws {ToolError} when what the user has filled in does not fit the form
 */
export function putQuestion<Form extends z.ZodObject>(
  { message, form }: Question<Form>,
  elicitation: Elicitation | undefined,
  open: (question: InputRequiredResult) => void,
): ElicitAnswer<Form> {
  if (elicitation?.isOffered !== true) return { action: 'unavailable' };
  const { response } = elicitation;
  if (response.kind !== 'elicit') {
    const asked = inputRequired.elicit({ message, requestedSchema: form });
    open(inputRequired({ inputRequests: { [KEY]: asked } }));
    throw new Error('The question is on its way to the user.');
  }
  if (response.action !== 'accept') return { action: response.action };
  const content = form.safeParse(response.content ?? {});
  if (content.success) return { action: 'accept', content: content.data };
  throw new ToolError(`What the user has filled in does not fit: ${z.prettifyError(content.error)}`);
}

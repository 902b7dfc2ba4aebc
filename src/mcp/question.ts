/**
 * Elicitation by a tool. The question ends the run, and the answer starts another one: that is how 2026-07-28 asks questions, and for the
 * revisions before it the SDK asks while the call is open, and then has the tool run again.
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

/** Whether the client can ask its user, and the response so far. */
export interface Elicitation {
  readonly isOffered: boolean;
  readonly response: ReturnType<typeof inputResponse>;
}

/** The key of a call's only question. */
const KEY = 'question';

/** Reads from the SDK whether the client can ask its user, and its response. */
export function elicitationOf({ server }: McpServer, { mcpReq }: ServerContext): Elicitation {
  const { elicitation } = server.getClientCapabilities() ?? {};
  return {
    // A client that names no mode of elicitation supports forms.
    isOffered: elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined),
    response: inputResponse(mcpReq.inputResponses, KEY),
  };
}

/**
 * Returns the answer to a question. If there is none yet, passes the question for the client to `open` and throws, which ends the run.
 * @throws {ToolError} when what the user has filled in does not match the form
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
  throw new ToolError(`What the user has filled in is not valid: ${z.prettifyError(content.error)}`);
}

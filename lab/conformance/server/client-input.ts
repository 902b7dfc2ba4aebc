/**
 * The suite's tools that ask the client one question. Each is written once: a client of 2026-07-28
 * gets the question as the result of its call, and an older one as a request while its call is open.
 */
import type {
  CallToolResult,
  InputRequiredResult,
  McpServer,
  ServerContext,
} from '@modelcontextprotocol/server';
import { inputRequired, inputResponse } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Feature } from '../../../src/mcp/feature.ts';
import type { FormSchema } from './answers.ts';
import { samplingText, textResult } from './answers.ts';

/** Sampling and elicitation, in every revision. */
export const clientInputFeature: Feature = {
  name: 'client-input',
  register(server) {
    registerSampling(server);
    registerElicitation(server);
  },
};

/** Registers tools that ask the client's model. */
function registerSampling(server: McpServer): void {
  server.registerTool(
    'test_sampling',
    {
      description: 'Asks the model of the client and returns what it says.',
      inputSchema: z.object({ prompt: z.string().describe('The prompt to send to the model') }),
    },
    ({ prompt }, context) => askModel(context, prompt),
  );
  server.registerTool(
    'test_missing_capability',
    { description: 'Needs a client that offers sampling; any other is refused.' },
    (context) => askModel(context, 'Say hello.'),
  );
}

/** Registers tools that ask the user with a form. */
function registerElicitation(server: McpServer): void {
  server.registerTool(
    'test_elicitation',
    {
      description: 'Asks the user for a name and an address and returns the answer.',
      inputSchema: z.object({ message: z.string().describe('The message to show the user') }),
    },
    ({ message }, context) => askUser(context, message, USER_SCHEMA),
  );
  server.registerTool(
    'test_elicitation_sep1034_defaults',
    { description: 'Asks with a form that has a default for every kind of field.' },
    (context) => askUser(context, 'Please check these values.', DEFAULTS_SCHEMA),
  );
  server.registerTool(
    'test_elicitation_sep1330_enums',
    { description: 'Asks with a form that has every kind of choice.' },
    (context) => askUser(context, 'Please choose.', CHOICES_SCHEMA),
  );
  server.registerTool(
    'test_streaming_elicitation',
    { description: 'Reports progress if asked to, then asks the user for a name and an address.' },
    async (context) => {
      await reportProgress(context);
      return askUser(context, 'Who are you?', USER_SCHEMA);
    },
  );
}

/** Returns the model's answer, or asks for it when there is none yet. */
function askModel({ mcpReq }: ServerContext, prompt: string): CallToolResult | InputRequiredResult {
  const answer = inputResponse(mcpReq.inputResponses, 'answer');
  if (answer.kind === 'sampling') return textResult(`LLM response: ${samplingText(answer.result.content)}`);
  return inputRequired({
    inputRequests: {
      answer: inputRequired.createMessage({
        messages: [{ role: 'user', content: { type: 'text', text: prompt } }],
        maxTokens: 100,
      }),
    },
  });
}

/** Returns the user's answer to a form, or shows the form when there is none yet. */
function askUser(
  { mcpReq }: ServerContext,
  message: string,
  requestedSchema: FormSchema,
): CallToolResult | InputRequiredResult {
  const answer = inputResponse(mcpReq.inputResponses, 'answer');
  if (answer.kind === 'elicit') {
    const content = JSON.stringify(answer.content ?? {});
    return textResult(`Elicitation completed: action=${answer.action}, content=${content}`);
  }
  return inputRequired({ inputRequests: { answer: inputRequired.elicit({ message, requestedSchema }) } });
}

/** Reports progress to a client that has sent a progress token. */
async function reportProgress({ mcpReq }: ServerContext): Promise<void> {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return;
  await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress: 1, total: 2 } });
}

const USER_SCHEMA: FormSchema = {
  type: 'object',
  properties: {
    username: { type: 'string', description: "User's response" },
    email: { type: 'string', description: "User's email address" },
  },
  required: ['username', 'email'],
};

const DEFAULTS_SCHEMA: FormSchema = {
  type: 'object',
  properties: {
    name: { type: 'string', default: 'John Doe' },
    age: { type: 'integer', default: 30 },
    score: { type: 'number', default: 95.5 },
    status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', default: true },
  },
};

const CHOICES_SCHEMA: FormSchema = {
  type: 'object',
  properties: {
    untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
    titledSingle: {
      type: 'string',
      oneOf: [
        { const: 'value1', title: 'First Option' },
        { const: 'value2', title: 'Second Option' },
        { const: 'value3', title: 'Third Option' },
      ],
    },
    legacyEnum: {
      type: 'string',
      enum: ['opt1', 'opt2', 'opt3'],
      enumNames: ['Option One', 'Option Two', 'Option Three'],
    },
    untitledMulti: { type: 'array', items: { type: 'string', enum: ['option1', 'option2', 'option3'] } },
    titledMulti: {
      type: 'array',
      items: {
        anyOf: [
          { const: 'value1', title: 'First Choice' },
          { const: 'value2', title: 'Second Choice' },
          { const: 'value3', title: 'Third Choice' },
        ],
      },
    },
  },
};

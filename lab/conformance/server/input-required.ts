/** The suite's tools and prompt for multi-round requests (SEP-2322), whose signed state the client sends back. */
import { randomBytes } from 'node:crypto';
import type {
  InputRequests,
  McpServer,
  RequestStateCodec,
  ServerContext,
} from '@modelcontextprotocol/server';
import {
  acceptedContent,
  createRequestStateCodec,
  inputRequired,
  inputResponse,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Feature } from '../../../src/mcp/feature.ts';
import { samplingText, textResult } from './answers.ts';

/** The state of a tool between two rounds. */
interface RoundState {
  /** The tool that made it; no other tool accepts it. */
  readonly tool: string;
  readonly round: number;
  readonly name?: string;
}

type StateCodec = RequestStateCodec<RoundState>;

const nameSchema = z.object({ name: z.string() });
const colorSchema = z.object({ color: z.string() });
const confirmationSchema = z.object({ ok: z.boolean() });
const contextSchema = z.object({ context: z.string() });

const TOOL = {
  elicitation: 'test_input_required_result_elicitation',
  sampling: 'test_input_required_result_sampling',
  listRoots: 'test_input_required_result_list_roots',
  requestState: 'test_input_required_result_request_state',
  multipleInputs: 'test_input_required_result_multiple_inputs',
  multiRound: 'test_input_required_result_multi_round',
  tamperedState: 'test_input_required_result_tampered_state',
  capabilities: 'test_input_required_result_capabilities',
} as const;

/** Tools and a prompt with several rounds. The key of their state lives as long as the process. */
export function createInputRequiredFeature(): Feature {
  const codec: StateCodec = createRequestStateCodec<RoundState>({
    key: randomBytes(32),
    bind: callerAndMethod,
  });
  return {
    name: 'input-required',
    options: { requestState: { verify: codec.verify } },
    register(server) {
      registerSingleQuestions(server);
      registerConfirmation(server, codec, TOOL.requestState);
      registerConfirmation(server, codec, TOOL.tamperedState);
      registerMultipleInputs(server, codec);
      registerMultiRound(server, codec);
      registerCapabilities(server);
      registerPrompt(server);
    },
  };
}

/** Registers tools that ask one question and need no state. */
function registerSingleQuestions(server: McpServer): void {
  server.registerTool(TOOL.elicitation, { description: 'Asks for a name and greets.' }, ({ mcpReq }) => {
    const answer = acceptedContent(mcpReq.inputResponses, 'user_name', nameSchema);
    return answer
      ? textResult(`Hello, ${answer.name}!`)
      : inputRequired({ inputRequests: { user_name: askName() } });
  });
  server.registerTool(
    TOOL.sampling,
    { description: 'Asks the model of the client one question.' },
    ({ mcpReq }) => {
      const answer = inputResponse(mcpReq.inputResponses, 'capital_question');
      return answer.kind === 'sampling'
        ? textResult(samplingText(answer.result.content))
        : inputRequired({
            inputRequests: { capital_question: askModel('What is the capital of France?', 100) },
          });
    },
  );
  server.registerTool(
    TOOL.listRoots,
    { description: 'Asks the client for its roots and lists them.' },
    ({ mcpReq }) => {
      const answer = inputResponse(mcpReq.inputResponses, 'client_roots');
      return answer.kind === 'roots'
        ? textResult(`Roots: ${answer.roots.map(({ uri }) => uri).join(', ')}`)
        : inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } });
    },
  );
}

/** Registers a tool that asks for a confirmation, and finishes only with the state that it gave out. */
function registerConfirmation(server: McpServer, codec: StateCodec, tool: string): void {
  server.registerTool(
    tool,
    { description: 'Asks for a confirmation and checks its state.' },
    async (context) => {
      const state = stateOf(context, tool);
      const answer = acceptedContent(context.mcpReq.inputResponses, 'confirm', confirmationSchema);
      if (state && answer) return textResult(`state-ok, ${answer.ok ? 'confirmed' : 'not confirmed'}`);
      return inputRequired({
        inputRequests: {
          confirm: inputRequired.elicit({ message: 'Please confirm', requestedSchema: confirmationSchema }),
        },
        requestState: await codec.mint({ tool, round: 1 }, context),
      });
    },
  );
}

/** Registers a tool that asks for three things at once. */
function registerMultipleInputs(server: McpServer, codec: StateCodec): void {
  const tool = TOOL.multipleInputs;
  server.registerTool(tool, { description: 'Asks user, model and roots in one round.' }, async (context) => {
    const { inputResponses } = context.mcpReq;
    const user = acceptedContent(inputResponses, 'user_name', nameSchema);
    const greeting = inputResponse(inputResponses, 'greeting');
    const roots = inputResponse(inputResponses, 'client_roots');
    if (stateOf(context, tool) && user && greeting.kind === 'sampling' && roots.kind === 'roots') {
      const said = samplingText(greeting.result.content);
      return textResult(`${said} ${user.name} has ${String(roots.roots.length)} root(s).`);
    }
    return inputRequired({
      inputRequests: {
        user_name: askName(),
        greeting: askModel('Generate a greeting', 50),
        client_roots: inputRequired.listRoots(),
      },
      requestState: await codec.mint({ tool, round: 1 }, context),
    });
  });
}

/** Registers a tool whose second question follows its first one: the state carries the first answer. */
function registerMultiRound(server: McpServer, codec: StateCodec): void {
  const tool = TOOL.multiRound;
  server.registerTool(tool, { description: 'Asks for a name, then for a color.' }, async (context) => {
    const { inputResponses } = context.mcpReq;
    const state = stateOf(context, tool);
    const name = state?.name ?? (state && acceptedContent(inputResponses, 'step1', nameSchema)?.name);
    if (name === undefined) {
      return inputRequired({
        inputRequests: { step1: askName('Step 1: What is your name?') },
        requestState: await codec.mint({ tool, round: 1 }, context),
      });
    }
    const color =
      state?.round === 2 ? acceptedContent(inputResponses, 'step2', colorSchema)?.color : undefined;
    if (color !== undefined) return textResult(`${name} likes ${color}.`);
    return inputRequired({
      inputRequests: {
        step2: inputRequired.elicit({
          message: 'Step 2: What is your favorite color?',
          requestedSchema: colorSchema,
        }),
      },
      requestState: await codec.mint({ tool, round: 2, name }, context),
    });
  });
}

/** Registers a tool that asks only in the ways that the client has declared. */
function registerCapabilities(server: McpServer): void {
  server.registerTool(
    TOOL.capabilities,
    { description: 'Asks in every way the client supports.' },
    ({ mcpReq }) => {
      const answered = Object.keys(mcpReq.inputResponses ?? {});
      if (answered.length > 0) return textResult(`Answered: ${answered.join(', ')}`);
      const { elicitation, sampling, roots } = server.server.getClientCapabilities() ?? {};
      const inputRequests: InputRequests = {
        ...(elicitation && { user_name: askName() }),
        ...(sampling && { greeting: askModel('Generate a greeting', 50) }),
        ...(roots && { client_roots: inputRequired.listRoots() }),
      };
      if (Object.keys(inputRequests).length === 0) return textResult('This client cannot be asked anything.');
      return inputRequired({ inputRequests });
    },
  );
}

/** Registers a prompt that asks before it answers, since not only tools may ask. */
function registerPrompt(server: McpServer): void {
  server.registerPrompt(
    'test_input_required_result_prompt',
    { description: 'A prompt that asks the user for its context.' },
    ({ mcpReq }) => {
      const answer = acceptedContent(mcpReq.inputResponses, 'user_context', contextSchema);
      if (answer)
        return {
          messages: [{ role: 'user', content: { type: 'text', text: `Context: ${answer.context}` } }],
        };
      return inputRequired({
        inputRequests: {
          user_context: inputRequired.elicit({
            message: 'What context should the prompt use?',
            requestedSchema: contextSchema,
          }),
        },
      });
    },
  );
}

/** The state of this round, if the given tool has made it. The server has verified its signature. */
function stateOf({ mcpReq }: ServerContext, tool: string): RoundState | undefined {
  const state = mcpReq.requestState<RoundState>();
  return state?.tool === tool ? state : undefined;
}

/** Binds state to the caller and the method that it was made for. */
function callerAndMethod({ mcpReq, http }: ServerContext): string {
  return `${mcpReq.method}\0${http?.authInfo?.clientId ?? ''}`;
}

/** Asks for a name with a form. */
function askName(message = 'What is your name?') {
  return inputRequired.elicit({ message, requestedSchema: nameSchema });
}

/** Asks the model of the client. */
function askModel(text: string, maxTokens: number) {
  return inputRequired.createMessage({
    messages: [{ role: 'user', content: { type: 'text', text } }],
    maxTokens,
  });
}

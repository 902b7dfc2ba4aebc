/**
 * The tools that the engine's tests call, whatever a fork offers: one that needs no input, one that gives its input back,
 * one with structured output, two scopes. JavaScript, so that tests in this process and built servers share them.
 */
import { z } from 'zod';

/** What `defineTool` of the engine promises; the tools are plain objects, so that neither sources nor build are needed. */
export const defineTool = /** @type {typeof import('../../src/mcp/tool.ts').defineTool} */ (
  (definition) => definition
);

/** Greets the given name, or the user. */
const getGreeting = defineTool({
  name: 'get_greeting',
  title: 'Greeting',
  description: 'Greets a name, or the current user when no name is given.',
  input: z.object({ name: z.string().min(1).max(200).optional().describe('Whom to greet.') }),
  scope: 'greet',
  annotations: { readOnlyHint: true },
  run: ({ name }, { user }) => `Hello, ${name ?? user.name}!`,
});

/** Returns the message unchanged. */
const echoMessage = defineTool({
  name: 'echo_message',
  title: 'Echo',
  description: 'Returns the given message unchanged.',
  input: z.object({ message: z.string().min(1).describe('The text to return.') }),
  scope: 'echo',
  annotations: { readOnlyHint: true },
  run: ({ message }) => message,
});

/** Tells what a tool sees of its caller. */
const whoami = defineTool({
  name: 'whoami',
  title: 'Who am I',
  description: 'Returns the current user, the scopes granted, and how this call reached the server.',
  input: z.object({}),
  output: z.object({
    userId: z.string(),
    name: z.string(),
    scopes: z.array(z.string()).optional(),
    transport: z.enum(['sse', 'streamable-http', 'stdio']),
    protocolVersion: z.string(),
  }),
  annotations: { readOnlyHint: true },
  run: (_input, { user: { userId, subject = userId, name, scopes }, connection }) => ({
    userId: subject,
    name,
    ...(scopes && { scopes: [...scopes] }),
    ...connection,
  }),
});

/** All of them, the one without needs first. */
export const fixtureTools = Object.freeze([getGreeting, echoMessage, whoami]);

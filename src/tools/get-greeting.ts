/** The tool `get_greeting`: the smallest tool that knows its user. */
import { z } from 'zod';
import { defineTool } from '../mcp/tool.ts';

/** Greets the given name, or the user. */
export const getGreeting = defineTool({
  name: 'get_greeting',
  title: 'Greeting',
  description: 'Returns a friendly greeting for a name, or for the current user when no name is given.',
  input: z.object({
    name: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .describe('Whom to greet. Default: the name of the current user.'),
  }),
  scope: 'greet',
  annotations: { readOnlyHint: true },
  run: ({ name }, { user }) => `Hello, ${name ?? user.name}!`,
});

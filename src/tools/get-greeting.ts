/** The tool `get_greeting`: the smallest example of a tool that knows its user. */
import { z } from 'zod';
import { defineTool } from '../mcp/tool.ts';

/** Greets the given name on behalf of the user; without a name it greets the user. */
export const getGreeting = defineTool({
  name: 'get_greeting',
  title: 'Greeting',
  description:
    'Returns a friendly greeting from the current user to a name, or to the user when no name is given.',
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
  run: ({ name }, { user }) =>
    name === undefined ? `Hello, ${user.name}!` : `Hello, ${name}! ${user.name} says hello.`,
});

/** The tool `echo_message`: returns its input, which shows that a message arrives and comes back whole, and who has sent it. */
import { z } from 'zod';
import { defineTool } from '../mcp/tool.ts';

/** Returns the message unchanged, whatever its length, after the name of the user. */
export const echoMessage = defineTool({
  name: 'echo_message',
  title: 'Echo',
  description: 'Returns the given message unchanged, behind the name of the current user.',
  // No maximum: MAX_BODY_BYTES already bounds what can arrive.
  input: z.object({ message: z.string().min(1).describe('The text to return.') }),
  scope: 'echo',
  annotations: { readOnlyHint: true },
  run: ({ message }, { user }) => `${user.name}: ${message}`,
});

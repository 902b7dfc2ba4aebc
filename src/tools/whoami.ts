/** The tool `whoami`: an example of structured output, which shows what the server knows about the caller. */
import { z } from 'zod';
import { defineTool } from '../mcp/tool.ts';

/** Returns who the caller is and how the call arrived; nothing in it is secret. */
export const whoami = defineTool({
  name: 'whoami',
  title: 'Who am I',
  description: 'Returns the current user, the scopes granted, and how this call reached the server.',
  input: z.object({}),
  output: z.object({
    userId: z.string().describe('As whoever vouches for the user calls them.'),
    name: z.string(),
    scopes: z.array(z.string()).optional().describe('The scopes granted. Absent: every tool.'),
    transport: z.enum(['sse', 'streamable-http', 'stdio']),
    protocolVersion: z.string().describe('The MCP revision in use.'),
  }),
  annotations: { readOnlyHint: true },
  run: (_input, { user: { userId, subject = userId, name, scopes }, connection }) => ({
    userId: subject,
    name,
    ...(scopes && { scopes: [...scopes] }),
    ...connection,
  }),
});

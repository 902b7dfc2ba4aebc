/** The tool `ask_politely`: it uses a package that only the fork has. */
import { politely } from 'polite-words';
import { z } from 'zod';
import { defineTool } from '../mcp/tool.ts';

/** Makes a request polite. */
export const askPolitely = defineTool({
  name: 'ask_politely',
  title: 'Ask politely',
  description: 'Returns the request in polite words.',
  input: z.object({ request: z.string().describe('What is to be done.') }),
  annotations: { readOnlyHint: true },
  run: ({ request }) => politely(request),
});

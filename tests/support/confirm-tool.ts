/** A tool that asks the user, for tests of how the answer finds its way. */
import { z } from 'zod';
import { defineTool } from '../../src/mcp/tool.ts';

/** Asks whether the user is sure, and answers with what became of the question. */
export const confirm = defineTool({
  name: 'confirm',
  title: 'Confirm',
  description: 'Asks.',
  input: z.object({}),
  elicits: true,
  run: async (_input, { elicit }) =>
    (await elicit({ message: 'Sure?', form: z.object({ sure: z.boolean() }) })).action,
});

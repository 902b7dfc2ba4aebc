/** A tool that asks the user, for tests of the way that the answer takes. */
import { z } from 'zod';
import { defineTool } from '../../src/mcp/tool.ts';

/** Asks whether the user is sure, and answers with the action that the user took. */
export const confirm = defineTool({
  name: 'confirm',
  title: 'Confirm',
  description: 'Asks.',
  input: z.object({}),
  elicits: true,
  run: async (_input, { elicit }) =>
    (await elicit({ message: 'Sure?', form: z.object({ sure: z.boolean() }) })).action,
});

/** The tool `keep_note`: it writes, and may overwrite. */
import { z } from 'zod';
import { defineTool, ToolError } from '../mcp/tool.ts';
import { notes } from '../services/notes.ts';

/** Keeps a note of the user; a note of the same name is replaced. */
export const keepNote = defineTool({
  name: 'keep_note',
  title: 'Keep a note',
  description: 'Keeps a note of the current user, in the place of one of the same name.',
  input: z.object({
    name: z.string().min(1).max(50).describe('What the note is called.'),
    text: z.string().max(10_000).describe('What is noted.'),
  }),
  scope: 'notes',
  annotations: { readOnlyHint: false, destructiveHint: true },
  run: ({ name, text }, { user, use }) => {
    if (!use(notes).keep(user.userId, name, text)) throw new ToolError('No room for another note.');
    return `Kept: ${name}.`;
  },
});

/** The tool `my_progress`: text for the model, structured output for programs, and a view for clients that support MCP Apps. */
import { z } from 'zod';
import { defineTool, ToolResult } from '../../../src/mcp/tool.ts';
import { CHART } from '../icons.ts';
import { progressOf } from '../learners.ts';
import { database } from '../services/database.ts';
import { VIEW_URI } from '../view-uri.ts';

/** Shows how far the user has come. */
export const myProgress = defineTool({
  name: 'my_progress',
  title: 'My progress',
  description: 'Shows how far the user has come in each lesson that the user has reached.',
  input: z.object({}),
  output: z.object({
    lessons: z.array(
      z.object({
        id: z.string(),
        title: z.string(),
        solved: z.number(),
        exercises: z.number(),
        tries: z.number(),
      }),
    ),
  }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  icons: CHART,
  // Clients that do not support MCP Apps ignore it.
  _meta: { ui: { resourceUri: VIEW_URI } },
  run: async (_input, { user, use }) => {
    const progress = await progressOf(use(database), user.userId);
    const lessons = progress.map(({ lesson, solved, tries }) => ({
      id: lesson.id,
      title: lesson.title,
      solved,
      exercises: lesson.exercises.length,
      tries,
    }));
    return new ToolResult({
      structured: { lessons },
      content: lessons
        .map(
          ({ title, solved, exercises, tries }) =>
            `${title}: ${solved} of ${exercises} solved, ${tries} tries.`,
        )
        .join('\n'),
    });
  },
});

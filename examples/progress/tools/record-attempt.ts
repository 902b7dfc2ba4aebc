/** The tool `record_attempt`: it writes, and it notifies clients when the user may read more resources than before. */
import { z } from 'zod';
import { defineTool, ToolError, ToolResult } from '../../../src/mcp/tool.ts';
import { findExercise } from '../course.ts';
import { lessonsOf, recordAttempt as record } from '../learners.ts';
import { database } from '../services/database.ts';

/** Judges an answer and stores it. */
export const recordAttempt = defineTool({
  name: 'record_attempt',
  title: 'Record an attempt',
  description:
    'Judges the user’s answer to an exercise and keeps it. Call it once for each answer, with the user’s own words.',
  input: z.object({
    exercise: z.string().max(100).describe('The id that next_exercise gave.'),
    answer: z.string().max(500).describe('What the user answered.'),
  }),
  output: z.object({
    isRight: z.boolean(),
    /** The right answer. */
    expected: z.string(),
    /** The id of the lesson that the user has just reached; null if there is none. */
    unlocked: z.string().nullable(),
  }),
  scope: 'practice',
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  run: async ({ exercise: id, answer }, { user: { userId }, use, listChanged }) => {
    const found = findExercise(id);
    const reached = await lessonsOf(use(database), userId);
    // An exercise that does not exist and one that is not reached yet get the same words: ids cannot be probed.
    if (found === undefined || !reached.includes(found.lesson))
      throw new ToolError('There is no such exercise. Call next_exercise, and use the id that it gives.');
    const { isRight, unlocked } = await record(use(database), userId, { ...found, answer });
    if (unlocked !== undefined) listChanged('resources');
    const { answer: expected } = found.exercise;
    return new ToolResult({
      structured: { isRight, expected, unlocked: unlocked?.id ?? null },
      content: [
        {
          type: 'text',
          text: isRight ? 'That is right.' : `Not quite: "${expected}" would have been right.`,
        },
        ...(unlocked === undefined
          ? []
          : [
              { type: 'text', text: `The lesson "${unlocked.title}" is unlocked.` } as const,
              {
                type: 'resource_link',
                uri: `lesson://${unlocked.id}`,
                name: unlocked.id,
                title: unlocked.title,
              } as const,
            ]),
      ],
    });
  },
});

/** The tool `next_exercise`: structured output, a scope, progress, elicitation, and an outside call that may take too long. */
import { z } from 'zod';
import { type AskingContext, defineTool, ToolError, ToolResult } from '../../../src/mcp/tool.ts';
import type { Lesson } from '../course.ts';
import { PENCIL } from '../icons.ts';
import { lessonsOf, nextExercise as findNext } from '../learners.ts';
import { database } from '../services/database.ts';
import { hints } from '../services/hints.ts';

/** Finds the exercise that the user should try next. */
export const nextExercise = defineTool({
  name: 'next_exercise',
  title: 'Next exercise',
  description:
    'Gives the exercise that the user should try next. Ask it, then hand the answer to record_attempt.',
  input: z.object({
    lesson: z
      .string()
      .max(100)
      .optional()
      .describe('The id of a lesson; left out, the user is asked, or practises the last one.'),
  }),
  output: z.object({
    lesson: z.string(),
    exercise: z.string(),
    question: z.string(),
    hint: z.string().nullable(),
  }),
  scope: 'practice',
  annotations: { readOnlyHint: true, openWorldHint: true },
  icons: PENCIL,
  elicits: true,
  // The database and the server of hints may be slow: after this time `signal` ends the work, and the model is told.
  timeoutMs: 10_000,
  run: async ({ lesson: id }, context) => {
    const { user, use, signal, progress } = context;
    const lessons = await lessonsOf(use(database), user.userId);
    const { lesson, isChosen } = await chooseLesson(lessons, id, context);
    await progress(1, 3, 'lesson chosen');
    const exercise = await findNext(use(database), user.userId, lesson);
    if (exercise === undefined) throw new ToolError(`The lesson "${lesson.title}" has no exercises.`);
    await progress(2, 3, 'exercise found');
    const hint = await use(hints).find(exercise.id, signal);
    await progress(3, 3, 'hint looked for');
    const note = isChosen
      ? ''
      : ` (Of the lesson "${lesson.title}"; call with lesson: ${lessons.map((each) => each.id).join(', ')} for another one.)`;
    return new ToolResult({
      structured: { lesson: lesson.id, exercise: exercise.id, question: exercise.question, hint },
      content: `${exercise.question}${hint === null ? '' : `\nHint: ${hint}`}${note}`,
    });
  },
});

/**
 * Returns the lesson to practise: the one that is named, the only one, the one that the user chooses, or else the last one.
 * @throws {ToolError} when the user has not reached the lesson that is named, or there are no lessons
 */
async function chooseLesson(
  lessons: readonly Lesson[],
  id: string | undefined,
  { elicit }: AskingContext,
): Promise<{ readonly lesson: Lesson; readonly isChosen: boolean }> {
  const last = lessons.at(-1);
  if (last === undefined) throw new ToolError('There are no lessons.');
  if (id !== undefined) {
    const named = lessons.find((lesson) => lesson.id === id);
    if (named !== undefined) return { lesson: named, isChosen: true };
    throw new ToolError(
      `There is no such lesson. The user has reached: ${lessons.map((lesson) => lesson.id).join(', ')}.`,
    );
  }
  if (lessons.length === 1) return { lesson: last, isChosen: true };
  const ids = lessons.map((lesson) => lesson.id);
  const answer = await elicit({
    message: 'Which lesson would you like to practise?',
    form: z.object({ lesson: z.enum(ids).describe('One of those that you have reached.') }),
  });
  const chosen =
    answer.action === 'accept' ? lessons.find((lesson) => lesson.id === answer.content.lesson) : undefined;
  // Many clients do not support elicitation, and a user may decline: without a choice it is the last lesson.
  return { lesson: chosen ?? last, isChosen: chosen !== undefined };
}

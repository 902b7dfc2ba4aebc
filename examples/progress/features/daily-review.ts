/** The prompt `daily_review`: the user chooses it, and the server fills in what the user has got wrong. */
import { z } from 'zod';
import { definePrompt } from '../../../src/mcp/prompt.ts';
import { lessonsOf, missedBy } from '../learners.ts';
import { database } from '../services/database.ts';

const DAY_MS = 86_400_000;

/** Reviews the mistakes of the last day, or of several days. */
export const dailyReview = definePrompt({
  name: 'daily_review',
  title: 'Daily review',
  description: 'Reviews what you have got wrong lately.',
  args: z.object({
    // MCP sends every argument of a prompt as a string.
    days: z
      .string()
      .regex(/^[1-9]\d?$/, 'must be a number of days from 1 to 99')
      .optional()
      .describe('How many days to look back. One, unless you say otherwise.'),
  }),
  complete: { days: (typed) => ['1', '3', '7', '30'].filter((days) => days.startsWith(typed)) },
  run: async ({ days = '1' }, { user, use }) => {
    const missed = await missedBy(use(database), user.userId, Date.now() - Number(days) * DAY_MS);
    const lessons = await lessonsOf(use(database), user.userId);
    const what =
      missed.length === 0
        ? 'I have got nothing wrong: give me the next exercise.'
        : `Review these with me, one by one:\n${missed.map(({ id, question }) => `- ${question} (${id})`).join('\n')}`;
    return [
      { role: 'user', content: { type: 'text', text: what } },
      ...lessons.slice(-1).map((last) => ({
        role: 'user' as const,
        content: {
          type: 'resource' as const,
          resource: { uri: `lesson://${last.id}`, mimeType: 'text/markdown', text: last.text },
        },
      })),
    ];
  },
});

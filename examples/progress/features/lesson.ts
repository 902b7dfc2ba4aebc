/** The resources `lesson://{id}`: each user sees the lessons that the user has reached. */
import { z } from 'zod';
import { defineResource } from '../../../src/mcp/resource.ts';
import { BOOK } from '../icons.ts';
import { lessonsOf } from '../learners.ts';
import { database } from '../services/database.ts';

/** The text of a lesson. */
export const lesson = defineResource({
  name: 'lesson',
  title: 'Lesson',
  description: 'A lesson that you have reached, in Markdown.',
  uri: 'lesson://{id}',
  params: z.object({ id: z.string() }),
  mimeType: 'text/markdown',
  icons: BOOK,
  // The cache is private to the user, and short: another lesson may be unlocked.
  cache: { ttlMs: 60_000 },
  complete: {
    id: async (typed, { user, use }) =>
      (await lessonsOf(use(database), user.userId)).map(({ id }) => id).filter((id) => id.startsWith(typed)),
  },
  list: async ({ user, use }) =>
    (await lessonsOf(use(database), user.userId)).map(({ id, title }) => ({
      uri: `lesson://${id}`,
      name: id,
      title,
    })),
  // A lesson that does not exist and one that is not reached look the same: undefined.
  read: async ({ id }, { user, use }) =>
    (await lessonsOf(use(database), user.userId)).find((each) => each.id === id)?.text,
});

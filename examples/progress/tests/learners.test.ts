/** Two users never see each other's rows, whatever both do, in either kind of database; without its database only the call fails. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { describeForBoth, type TestDatabases } from '../../../tests/support/databases.ts';
import { createSandbox, waitFor } from '../../../tests/support/process.ts';
import { COURSE, type Exercise, isRight } from '../course.ts';
import { lessonsOf, missedBy, progressOf, recordAttempt } from '../learners.ts';
import { myProgress } from '../tools/my-progress.ts';
import { type Learning, openLearning } from './learning.ts';

/** An exercise of the course, with its lesson. */
const EXERCISES = COURSE.flatMap((lesson) => lesson.exercises.map((exercise) => ({ lesson, exercise })));

/** The attempts of a user, right and wrong ones. */
const attempts = fc.array(
  fc.record({ byAda: fc.boolean(), which: fc.nat({ max: EXERCISES.length - 1 }), knows: fc.boolean() }),
  { maxLength: 25 },
);

/** What a user must see after these attempts, given in their order. */
function seenOf(answered: readonly { readonly exercise: Exercise; readonly answer: string }[]) {
  const solved = new Set<string>();
  const reached = new Set([COURSE[0]?.id]);
  for (const { exercise, answer } of answered) {
    if (!isRight(exercise, answer)) continue;
    solved.add(exercise.id);
    const place = COURSE.findIndex(({ exercises }) => exercises.includes(exercise));
    // The attempt that completes a lesson, or one after that, unlocks the next.
    if (COURSE[place]?.exercises.every(({ id }) => solved.has(id)) === true)
      reached.add(COURSE[place + 1]?.id);
  }
  const lessons = COURSE.filter(({ id }) => reached.has(id));
  return {
    lessons: lessons.map(({ id }) => id),
    progress: lessons.map(({ id, exercises }) => ({
      id,
      tries: answered.filter(({ exercise }) => exercises.includes(exercise)).length,
      solved: exercises.filter((exercise) => solved.has(exercise.id)).length,
    })),
    missed: EXERCISES.map(({ exercise: { id } }) => id).filter(
      (id) => !solved.has(id) && answered.some(({ exercise }) => exercise.id === id),
    ),
  };
}

describeForBoth('what is kept of learners', (start) => {
  const sandbox = createSandbox();
  let databases: TestDatabases;
  let learning: Learning;
  beforeAll(async () => {
    databases = await start(sandbox);
    learning = await openLearning({ DATABASE_URL: await databases.create() });
  }, 60_000);
  afterAll(async () => {
    await learning.close();
    await sandbox.close();
  });

  test('is shown to its own user only, whatever two users do, at once too', async () => {
    const { database } = learning;
    const look = async (userId: string) => ({
      lessons: (await lessonsOf(database, userId)).map(({ id }) => id),
      progress: (await progressOf(database, userId)).map(({ lesson: { id }, tries, solved }) => ({
        id,
        tries,
        solved,
      })),
      missed: (await missedBy(database, userId, 0)).map(({ id }) => id),
    });
    await fc.assert(
      fc.asyncProperty(attempts, async (done) => {
        // Names that could be taken for patterns, or for one another.
        const suffix = randomUUID();
        const [ada, eve] = [`%${suffix}`, `a'd_a%${suffix}`];
        const doneBy = (isAda: boolean) =>
          done
            .filter(({ byAda }) => byAda === isAda)
            .map(({ which, knows }) => {
              const { lesson, exercise } = EXERCISES[which] ?? { lesson: undefined, exercise: undefined };
              if (lesson === undefined) throw new Error('No such exercise.');
              return { lesson, exercise, answer: knows ? exercise.answer : 'no idea' };
            });
        const [ofAda, ofEve] = [doneBy(true), doneBy(false)];
        await Promise.all(
          [
            { userId: ada, own: ofAda },
            { userId: eve, own: ofEve },
          ].map(async ({ userId, own }) => {
            for (const attempt of own) await recordAttempt(database, userId, attempt);
          }),
        );

        expect(await look(ada)).toEqual(seenOf(ofAda));
        expect(await look(eve)).toEqual(seenOf(ofEve));
      }),
      { numRuns: 25 },
    );
  }, 60_000);

  test('is out of reach while the database is gone, in words for the model, and there again afterwards', async () => {
    const context = learning.contextOf('ada');
    const [first] = EXERCISES;
    if (first !== undefined)
      await recordAttempt(learning.database, 'ada', { ...first, answer: first.exercise.answer });
    const before = await progressOf(learning.database, 'ada');

    await databases.takeAway();
    const failure = await waitFor('a call that fails', async () =>
      Promise.resolve(myProgress.run({}, context)).then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
    await databases.giveBack();
    await waitFor('the database', async () => learning.database.isReady());

    expect(failure).toMatchObject({
      name: 'ToolError',
      message: expect.stringContaining('cannot be reached'),
    });
    expect(await progressOf(learning.database, 'ada')).toEqual(before);
  });
});

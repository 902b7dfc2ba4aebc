/** The stored progress of each learner. Every function takes the user's id, and every statement contains it: no user sees another user's data. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Database, Sql } from '../../src/storage/database.ts';
import { listOf, sql } from '../../src/storage/statement.ts';
import { COURSE, type Exercise, FIRST_LESSON, isRight, type Lesson, lessonAfter } from './course.ts';

const LESSON_ID = z.object({ lesson_id: z.string() });
const COUNT = z.object({ exercise_id: z.string(), tries: z.number(), right_ones: z.number() });

/** How far a learner has come in one lesson. */
export interface LessonProgress {
  readonly lesson: Lesson;
  readonly tries: number;
  /** How many of its exercises have been answered correctly. */
  readonly solved: number;
}

/** One attempt at an exercise. */
export interface Attempt {
  readonly lesson: Lesson;
  readonly exercise: Exercise;
  readonly answer: string;
}

/** Stores an attempt. Returns whether it was right, and the lesson that it has unlocked, if any. */
export async function recordAttempt(
  database: Database,
  userId: string,
  { lesson, exercise, answer }: Attempt,
): Promise<{ readonly isRight: boolean; readonly unlocked: Lesson | undefined }> {
  const right = isRight(exercise, answer);
  return database.transaction(async (within) => {
    await within.query(
      sql`insert into attempts (id, user_id, exercise_id, is_right, made_ms)
          values (${randomUUID()}, ${userId}, ${exercise.id}, ${right ? 1 : 0}, ${Date.now()})`,
    );
    const next = lessonAfter(lesson.id);
    if (!right || next === undefined || !(await isSolved(within, userId, lesson)))
      return { isRight: right, unlocked: undefined };
    const added = await within.query(
      sql`insert into unlocked (user_id, lesson_id) values (${userId}, ${next.id})
          on conflict (user_id, lesson_id) do nothing returning lesson_id`,
    );
    return { isRight: right, unlocked: added.length > 0 ? next : undefined };
  });
}

/** Returns the lessons that a learner has reached, in the order of the course. */
export async function lessonsOf(database: Sql, userId: string): Promise<readonly Lesson[]> {
  const rows = await database.select(
    LESSON_ID,
    sql`select lesson_id from unlocked where user_id = ${userId}`,
  );
  const ids = new Set([FIRST_LESSON, ...rows.map(({ lesson_id: id }) => id)]);
  return COURSE.filter(({ id }) => ids.has(id));
}

/** Returns how far a learner has come in each lesson reached. */
export async function progressOf(database: Sql, userId: string): Promise<readonly LessonProgress[]> {
  const lessons = await lessonsOf(database, userId);
  const counts = await database.select(
    COUNT,
    sql`select exercise_id, count(*) as tries, sum(is_right) as right_ones from attempts
        where user_id = ${userId} group by exercise_id`,
  );
  return lessons.map((lesson) => {
    const ids = new Set(lesson.exercises.map(({ id }) => id));
    const own = counts.filter(({ exercise_id: id }) => ids.has(id));
    return {
      lesson,
      tries: own.reduce((sum, { tries }) => sum + tries, 0),
      solved: own.filter(({ right_ones: rightOnes }) => rightOnes > 0).length,
    };
  });
}

/** Returns the exercises that a learner has never answered correctly and has tried since `sinceMs`. Milliseconds since the epoch. */
export async function missedBy(database: Sql, userId: string, sinceMs: number): Promise<readonly Exercise[]> {
  const rows = await database.select(
    z.object({ exercise_id: z.string() }),
    sql`select exercise_id from attempts where user_id = ${userId}
        group by exercise_id having max(is_right) = 0 and max(made_ms) >= ${sinceMs}`,
  );
  const ids = new Set(rows.map(({ exercise_id: id }) => id));
  return COURSE.flatMap(({ exercises }) => exercises).filter(({ id }) => ids.has(id));
}

/** Returns the exercise of a lesson to try next: unsolved ones before solved ones, then the least tried first. */
export async function nextExercise(
  database: Sql,
  userId: string,
  lesson: Lesson,
): Promise<Exercise | undefined> {
  const counts = await database.select(
    COUNT,
    sql`select exercise_id, count(*) as tries, sum(is_right) as right_ones from attempts
        where user_id = ${userId} and exercise_id in (${listOf(lesson.exercises.map(({ id }) => id))})
        group by exercise_id`,
  );
  const rank = ({ id }: Exercise): number => {
    const found = counts.find(({ exercise_id: exercise }) => exercise === id);
    return found === undefined ? 0 : found.tries + (found.right_ones > 0 ? 1_000_000 : 0);
  };
  return lesson.exercises.toSorted((one, other) => rank(one) - rank(other))[0];
}

/** Whether the user has answered every exercise of a lesson correctly. */
async function isSolved(database: Sql, userId: string, { exercises }: Lesson): Promise<boolean> {
  const solved = await database.query(
    sql`select distinct exercise_id from attempts where user_id = ${userId} and is_right = 1
        and exercise_id in (${listOf(exercises.map(({ id }) => id))})`,
  );
  return solved.length === exercises.length;
}

/** The database of the example, with its tables. */
import { defineDatabase } from '../../../src/storage/service.ts';
import { sql } from '../../../src/storage/statement.ts';

/** Declares the database, with the steps that make its tables. `DATABASE_URL` says where it is. */
export const database = defineDatabase({
  owner: 'progress',
  steps: [
    {
      name: 'attempts and unlocked lessons',
      statements: [
        sql`create table attempts (
          id text primary key, user_id text not null, exercise_id text not null, is_right integer not null, made_ms bigint not null
        )`,
        sql`create index attempts_of_user on attempts (user_id, made_ms)`,
        sql`create table unlocked (
          user_id text not null, lesson_id text not null, primary key (user_id, lesson_id)
        )`,
      ],
    },
  ],
});

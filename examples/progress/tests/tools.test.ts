/** Tools without a server: what they answer, what they announce, whom they ask, and what they do when a service is away. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ToolError, type ToolResult } from '../../../src/mcp/tool.ts';
import { createSandbox } from '../../../tests/support/process.ts';
import { myProgress } from '../tools/my-progress.ts';
import { nextExercise } from '../tools/next-exercise.ts';
import { recordAttempt } from '../tools/record-attempt.ts';
import { type Learning, openLearning } from './learning.ts';

const sandbox = createSandbox();
let learning: Learning;
beforeAll(async () => {
  learning = await openLearning({ DATABASE_URL: `sqlite:${await sandbox.folder()}/test.db` });
});
afterAll(async () => {
  await learning.close();
  await sandbox.close();
});

/** The structured part of an answer. */
async function structured(answer: unknown): Promise<unknown> {
  return ((await answer) as ToolResult<unknown>).structured;
}

/** Has a user solve the first lesson. */
async function solveGreetings(user: string): Promise<void> {
  const context = learning.contextOf(user);
  for (const [exercise, answer] of [
    ['greetings-1', 'hola'],
    ['greetings-2', 'gracias'],
  ] as const)
    await recordAttempt.run({ exercise, answer }, context);
}

describe('record_attempt', () => {
  test('judges an answer, whatever its case, accents and punctuation, and says what would have been right', async () => {
    const context = learning.contextOf('judge');

    const right = recordAttempt.run({ exercise: 'greetings-1', answer: ' ¡Holá! ' }, context);
    const wrong = recordAttempt.run({ exercise: 'greetings-2', answer: 'hola' }, context);

    expect(await structured(right)).toEqual({ isRight: true, expected: 'hola', unlocked: null });
    expect(await structured(wrong)).toEqual({ isRight: false, expected: 'gracias', unlocked: null });
  });

  test('unlocks the next lesson once every exercise is solved, and announces it once', async () => {
    const changed: string[] = [];
    const context = learning.contextOf('climber', { listChanged: (list) => void changed.push(list) });
    await recordAttempt.run({ exercise: 'greetings-1', answer: 'hola' }, context);

    const last = recordAttempt.run({ exercise: 'greetings-2', answer: 'gracias' }, context);
    expect(await structured(last)).toMatchObject({ unlocked: 'numbers' });
    const again = recordAttempt.run({ exercise: 'greetings-2', answer: 'gracias' }, context);
    expect(await structured(again)).toMatchObject({ isRight: true, unlocked: null });

    expect(changed).toEqual(['resources']);
  });

  test.each(['no-such', 'food-1'])(
    'refuses %s in the same words, be it unknown or not reached',
    async (exercise) => {
      const refused = recordAttempt.run({ exercise, answer: 'el pan' }, learning.contextOf('prober'));

      await expect(refused).rejects.toThrow(
        new ToolError('There is no such exercise. Call next_exercise, and use the id that it gives.'),
      );
    },
  );
});

describe('next_exercise', () => {
  test('gives what has not been solved first, and reports how far it is', async () => {
    const reports: unknown[] = [];
    const context = {
      ...learning.contextOf('starter'),
      progress: async (...report: unknown[]) => void reports.push(report),
    };
    await recordAttempt.run({ exercise: 'greetings-1', answer: 'hola' }, context);

    const next = await structured(nextExercise.run({}, context));

    expect(next).toEqual({
      lesson: 'greetings',
      exercise: 'greetings-2',
      question: 'How do you say "thank you"?',
      hint: null,
    });
    expect(reports).toHaveLength(3);
  });

  test('asks which lesson where there are several, and takes the last one where nobody can be asked, or answers', async () => {
    await solveGreetings('chooser');
    const asked: string[] = [];
    const answering = (
      answer: { action: 'accept'; content: never } | { action: 'decline' | 'unavailable' },
    ) =>
      learning.contextOf('chooser', {
        elicit: async ({ message }) => {
          asked.push(message);
          return answer;
        },
      });

    const chosen = nextExercise.run(
      {},
      answering({ action: 'accept', content: { lesson: 'greetings' } as never }),
    );
    const declined = nextExercise.run({}, answering({ action: 'decline' }));
    const unavailable = nextExercise.run({}, answering({ action: 'unavailable' }));
    const named = nextExercise.run({ lesson: 'greetings' }, answering({ action: 'decline' }));

    expect(await structured(chosen)).toMatchObject({ lesson: 'greetings' });
    expect(await structured(declined)).toMatchObject({ lesson: 'numbers' });
    expect(await structured(unavailable)).toMatchObject({ lesson: 'numbers' });
    expect(await structured(named)).toMatchObject({ lesson: 'greetings' });
    expect(asked).toEqual(Array.from({ length: 3 }, () => 'Which lesson would you like to practise?'));
    expect(((await unavailable) as ToolResult).content).toContain('call with lesson: greetings, numbers');
  });

  test('refuses a lesson that the user has not reached, and names those that are', async () => {
    const refused = nextExercise.run({ lesson: 'food' }, learning.contextOf('early'));

    await expect(refused).rejects.toThrow('There is no such lesson. The user has reached: greetings.');
  });

  describe('with a server for hints', () => {
    let answer: ((url: string | undefined) => string | undefined) | undefined;
    const server = createServer((req, res) => {
      const text = answer?.(req.url);
      // Without a text the request gets no answer and hangs.
      if (text !== undefined) res.end(text);
    });
    let hinted: Learning;
    beforeAll(async () => {
      await once(server.listen(0, '127.0.0.1'), 'listening');
      hinted = await openLearning({
        DATABASE_URL: `sqlite:${await sandbox.folder()}/test.db`,
        HINTS_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hints/{exercise}`,
      });
    });
    afterAll(async () => {
      server.closeAllConnections();
      server.close();
      await hinted.close();
    });

    test('has the hint for the exercise', async () => {
      answer = (url) => `hint of ${url}`;

      const next = await structured(nextExercise.run({}, hinted.contextOf('ada')));

      expect(next).toMatchObject({ hint: 'hint of /hints/greetings-1' });
    });

    test('goes on without one that does not come in time', async () => {
      answer = () => undefined;

      expect(await structured(nextExercise.run({}, hinted.contextOf('ada')))).toMatchObject({ hint: null });
    });

    test('stops when the call is cancelled', async () => {
      const abort = new AbortController();
      answer = () => {
        abort.abort();
        return undefined;
      };

      const cancelled = nextExercise.run({}, hinted.contextOf('ada', { signal: abort.signal }));

      await expect(cancelled).rejects.toMatchObject({ name: 'AbortError' });
    });
  });
});

describe('my_progress', () => {
  test('has words beside what programs and the view read', async () => {
    await solveGreetings('reader');

    const { structured: found, content } = (await myProgress.run(
      {},
      learning.contextOf('reader'),
    )) as ToolResult<unknown>;

    expect(found).toEqual({
      lessons: [
        { id: 'greetings', title: 'Greetings', solved: 2, exercises: 2, tries: 2 },
        { id: 'numbers', title: 'Numbers', solved: 0, exercises: 2, tries: 0 },
      ],
    });
    expect(content).toBe('Greetings: 2 of 2 solved, 2 tries.\nNumbers: 0 of 2 solved, 0 tries.');
  });
});

/** The course: lessons in their order, each with its exercises. A fork would read them from wherever its lessons are. */

/** One exercise. */
export interface Exercise {
  readonly id: string;
  readonly question: string;
  /** The right answer; case, accents and punctuation do not count. */
  readonly answer: string;
}

/** One lesson. */
export interface Lesson {
  readonly id: string;
  readonly title: string;
  readonly text: string;
  readonly exercises: readonly Exercise[];
}

/** The lessons. Everybody has the first one; the correct answers to all exercises of a lesson unlock the next. */
export const COURSE: readonly Lesson[] = [
  {
    id: 'greetings',
    title: 'Greetings',
    text: '# Greetings\n\n- hola: hello\n- gracias: thank you\n- buenos días: good morning\n',
    exercises: [
      { id: 'greetings-1', question: 'How do you say "hello"?', answer: 'hola' },
      { id: 'greetings-2', question: 'How do you say "thank you"?', answer: 'gracias' },
    ],
  },
  {
    id: 'numbers',
    title: 'Numbers',
    text: '# Numbers\n\n- uno, dos, tres: one, two, three\n- diez: ten\n',
    exercises: [
      { id: 'numbers-1', question: 'How do you say "three"?', answer: 'tres' },
      { id: 'numbers-2', question: 'How do you say "ten"?', answer: 'diez' },
    ],
  },
  {
    id: 'food',
    title: 'Food and drink',
    text: '# Food and drink\n\n- el pan: the bread\n- el agua: the water\n',
    exercises: [{ id: 'food-1', question: 'How do you say "the bread"?', answer: 'el pan' }],
  },
];

/** The id of the lesson that everybody has. */
export const FIRST_LESSON = 'greetings';

/** Finds a lesson by its id; undefined if there is none. */
export function findLesson(id: string): Lesson | undefined {
  return COURSE.find((lesson) => lesson.id === id);
}

/** Finds an exercise by its id, together with its lesson; undefined if there is none. */
export function findExercise(
  id: string,
): { readonly lesson: Lesson; readonly exercise: Exercise } | undefined {
  for (const lesson of COURSE) {
    const exercise = lesson.exercises.find((each) => each.id === id);
    if (exercise !== undefined) return { lesson, exercise };
  }
  return undefined;
}

/** Returns the lesson after the one with this id; undefined after the last one. */
export function lessonAfter(id: string): Lesson | undefined {
  return COURSE[COURSE.findIndex((lesson) => lesson.id === id) + 1];
}

/** Whether an answer is right. */
export function isRight({ answer }: Exercise, given: string): boolean {
  return bare(answer) === bare(given);
}

/** Normalizes a text for the comparison: without accents and punctuation, with single spaces, in lower case. */
function bare(text: string): string {
  return text
    .normalize('NFD')
    .replaceAll(/[\u0300-\u036F]/g, '')
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
    .toLowerCase();
}

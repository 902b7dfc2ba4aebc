/** What is taught: lessons in their order, each with its exercises. A fork would read them from wherever its lessons are. */

/** One exercise. */
export interface Exercise {
  readonly id: string;
  readonly question: string;
  /** Compared without regard to case, accents and punctuation. */
  readonly answer: string;
}

/** One lesson. */
export interface Lesson {
  readonly id: string;
  readonly title: string;
  readonly text: string;
  readonly exercises: readonly Exercise[];
}

/** The lessons. The first one everybody has; each other is unlocked by answering every exercise of the one before it. */
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

/** The lesson that everybody has. */
export const FIRST_LESSON = 'greetings';

/** The lesson with an id. */
export function findLesson(id: string): Lesson | undefined {
  return COURSE.find((lesson) => lesson.id === id);
}

/** The exercise with an id, with its lesson. */
export function findExercise(
  id: string,
): { readonly lesson: Lesson; readonly exercise: Exercise } | undefined {
  for (const lesson of COURSE) {
    const exercise = lesson.exercises.find((each) => each.id === id);
    if (exercise !== undefined) return { lesson, exercise };
  }
  return undefined;
}

/** The lesson that comes after another one. */
export function lessonAfter(id: string): Lesson | undefined {
  return COURSE[COURSE.findIndex((lesson) => lesson.id === id) + 1];
}

/** Whether an answer is right. */
export function isRight({ answer }: Exercise, given: string): boolean {
  return bare(answer) === bare(given);
}

/** A text without what does not matter. */
function bare(text: string): string {
  return text
    .normalize('NFD')
    .replaceAll(/[\u0300-\u036F]/g, '')
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
    .toLowerCase();
}

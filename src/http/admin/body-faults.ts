/** What is wrong with a body that an admin's program sent, in words: which field, and what is expected of it. */
import type { z } from 'zod';

/** One thing that is wrong. */
type Issue = z.core.$ZodIssue;

/** How people call the types of JSON. */
const TYPES: Readonly<Record<string, string>> = {
  object: 'an object',
  array: 'a list',
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
};

/** The first fault of a body. */
export function describeFault(error: z.ZodError): string {
  const [issue] = error.issues;
  return issue === undefined ? 'It has not the form that is expected.' : describe(issue);
}

/** One fault. Where one of several forms is expected, the form is meant whose fields are there. */
function describe(issue: Issue): string {
  if (issue.code === 'invalid_union') {
    const meant = issue.errors.find((faults) => !faults.some(isMissingElsewhere)) ?? issue.errors[0];
    const [first] = meant ?? [];
    if (first !== undefined) return describe(first);
  }
  const field = issue.path.length === 0 ? 'It' : spell(issue.path);
  return `${field} ${expectationOf(issue)}.`;
}

/** Whether a fault says that the body is of another form: a field at its top is not there, or not a list or text as there. */
function isMissingElsewhere(issue: Issue): boolean {
  return issue.code === 'invalid_type' && issue.path.length === 1 && issue.input === undefined;
}

/** What is expected, to go on from the field's name. */
function expectationOf(issue: Issue): string {
  const { code } = issue;
  if (code === 'invalid_type') return `must be ${TYPES[issue.expected] ?? issue.expected}`;
  if (code === 'invalid_value') return `must be one of ${issue.values.join(', ')}`;
  if (code === 'unrecognized_keys') return `has the unknown field "${(issue.keys[0] ?? '').slice(0, 40)}"`;
  if (code === 'too_small')
    return issue.origin === 'array' ? `must have at least ${issue.minimum} entry` : 'must not be empty';
  if (code === 'too_big')
    return `must have at most ${issue.maximum} ${issue.origin === 'array' ? 'entries' : 'characters'}`;
  return 'has not the form that is expected';
}

/** A path as programs write it: `people[0].user`. */
function spell(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) =>
      typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`,
    )
    .join('');
}

/** Describes what is wrong with the body of a request to the API for admins: which field, and what it must be. */
import type { z } from 'zod';

/** One fault of a body. */
type Issue = z.core.$ZodIssue;

/** The types of JSON in plain words. */
const TYPES: Readonly<Record<string, string>> = {
  object: 'an object',
  array: 'a list',
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
};

/** Describes the first fault of a body. */
export function describeFault(error: z.ZodError): string {
  const [issue] = error.issues;
  return issue === undefined ? 'It does not have the expected form.' : describe(issue);
}

/** Describes a fault. If one of several forms is expected, it takes the form whose fields are there. */
function describe(issue: Issue): string {
  if (issue.code === 'invalid_union') {
    const meant = issue.errors.find((faults) => !faults.some(isMissingElsewhere)) ?? issue.errors[0];
    const [first] = meant ?? [];
    if (first !== undefined) return describe(first);
  }
  const field = issue.path.length === 0 ? 'It' : spell(issue.path);
  return `${field} ${expectationOf(issue)}.`;
}

/** Whether a fault shows that another form is meant: a field at the top of the body is missing. */
function isMissingElsewhere(issue: Issue): boolean {
  return issue.code === 'invalid_type' && issue.path.length === 1 && issue.input === undefined;
}

/** Says what is expected, in words that follow the field's name. */
function expectationOf(issue: Issue): string {
  const { code } = issue;
  if (code === 'invalid_type') return `must be ${TYPES[issue.expected] ?? issue.expected}`;
  if (code === 'invalid_value') return `must be one of ${issue.values.join(', ')}`;
  if (code === 'unrecognized_keys') return `has the unknown field "${(issue.keys[0] ?? '').slice(0, 40)}"`;
  if (code === 'too_small')
    return issue.origin === 'array' ? `must have at least ${issue.minimum} entry` : 'must not be empty';
  if (code === 'too_big')
    return `must have at most ${issue.maximum} ${issue.origin === 'array' ? 'entries' : 'characters'}`;
  return 'does not have the expected form';
}

/** A path as programs write it: `people[0].user`. */
function spell(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) =>
      typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`,
    )
    .join('');
}

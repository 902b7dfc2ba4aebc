/** Arguments of prompts and variables of URIs come as texts. A schema that takes none would refuse every request, so it ends the start. */
import { type $ZodIssue, type $ZodType, safeParse } from 'zod/v4/core';

/**
 * Checks that each field takes texts.
 * @throws {Error} that names those that take none, and says what to use
 */
export function requireTextFields(owner: string, fields: Readonly<Record<string, $ZodType>>): void {
  const other = Object.keys(fields).filter((name) => fields[name] !== undefined && !takesText(fields[name]));
  if (other.length === 0) return;
  throw new Error(
    `${owner}: the schema of ${other.join(', ')} refuses every text, and clients send nothing else. For a number use z.coerce.number(), for a switch z.stringbool(), for a date z.iso.date().`,
  );
}

/** A text that can also be a number or a switch, so that schemas that convert texts take it. */
const SAMPLE = '1';

/** Whether a schema takes texts. One that takes none refuses the type of the sample, and not only its value. */
function takesText(schema: $ZodType): boolean {
  try {
    const { error } = safeParse(schema, SAMPLE, { reportInput: true });
    return error === undefined || !error.issues.some(refusesType);
  } catch {
    // A function in the schema knows no such sample, or is asynchronous.
    return true;
  }
}

/** Whether an issue says that the sample has the wrong type. */
function refusesType(issue: $ZodIssue): boolean {
  if (issue.code === 'invalid_union')
    return issue.errors.length > 0 && issue.errors.every((issues) => issues.some(refusesType));
  // What is behind a conversion sees something else.
  if (issue.input !== SAMPLE) return false;
  if (issue.code === 'invalid_value') return !issue.values.some((value) => typeof value === 'string');
  return issue.code === 'invalid_type';
}

/** What an environment variable is, and how its text becomes its value. */
import type { z } from 'zod';
import { ConfigError } from './config-error.ts';
import type { Environment } from './environment.ts';
import { findMisspellings } from './misspellings.ts';

/** An environment variable: what it is for, an example, and how its text is parsed. */
export interface Variable {
  /** What it is for, as `npm run variables` and `.env.example` say it. */
  readonly description: string;
  /** The default, or an example if there is no default or it depends on where the server runs. */
  readonly example: string;
  /** Whether a hosting platform sets it, and nobody by hand. */
  readonly isSetByPlatform?: true;
  /** Parses the text, or undefined if it is not set, to the value. The messages of its issues follow the variable's name. */
  readonly schema: z.ZodType<unknown, string | undefined>;
}

/** Variables by their names. */
export type Variables = Readonly<Record<string, Variable>>;

/** The values of variables. */
export type ValuesOf<Known extends Variables> = {
  readonly [Name in keyof Known]: z.output<Known[Name]['schema']>;
};

/**
 * Parses variables; an empty one counts as not set.
 * @throws {ConfigError} listing every bad variable, and every name that looks like a misspelled one
 */
export function parseVariables<Known extends Variables>(
  variables: Known,
  environment: Environment,
): ValuesOf<Known> {
  const byHand = Object.keys(variables).filter((name) => variables[name]?.isSetByPlatform !== true);
  const problems = findMisspellings(environment, byHand);
  const values: Record<string, unknown> = {};
  for (const [name, { schema }] of Object.entries(variables)) {
    const text = unquote(environment[name]?.trim() ?? '');
    const parsed = schema.safeParse(text === '' ? undefined : text);
    if (parsed.success) values[name] = parsed.data;
    else problems.push(`${name} ${parsed.error.issues.at(-1)?.message ?? 'cannot be used'}`);
  }
  if (problems.length === 0) {
    // oxlint-disable-next-line no-unsafe-type-assertion -- each value was parsed by the schema of its name
    return values as ValuesOf<Known>;
  }
  throw new ConfigError(
    `The configuration cannot be used:\n${problems.map((problem) => `  ${problem}`).join('\n')}`,
  );
}

/** Removes one pair of quotes around a text: `docker --env-file` and systemd pass on those that a shell removes. */
function unquote(text: string): string {
  return /^(["'])(.*)\1$/s.exec(text)?.[2]?.trim() ?? text;
}

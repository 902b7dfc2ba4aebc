/** Completion of the arguments of prompts and templates of resources, while a user types. */
import { z } from 'zod';
import type { CallContext } from './tool.ts';

/** The context of a completer. */
export interface CompletionContext extends CallContext {
  /** The arguments that have been filled in already. */
  readonly given: Readonly<Record<string, string>>;
}

/**
 * Returns the values that an argument may have, best first, for what has been typed: those that begin with it, for instance. A client gets
 * at most a hundred.
 */
export type Completer = (
  typed: string,
  context: CompletionContext,
) => readonly string[] | Promise<readonly string[]>;

/** The schema of a prompt or a template without arguments or parameters. */
export const NO_FIELDS = z.object({});
export type NoFields = typeof NO_FIELDS;

/** Completers by the names of their arguments. */
export type Completers<Args extends z.ZodObject> = {
  readonly [Name in keyof z.input<Args>]?: Completer;
};

/** Finds the completer of an argument by its name, which comes from the client. */
export function completerOf<Args extends z.ZodObject>(
  completers: Completers<Args> | undefined,
  name: string,
): Completer | undefined {
  const found: unknown = Object.entries(completers ?? {}).find(([known]) => known === name)?.[1];
  // oxlint-disable-next-line no-unsafe-type-assertion -- an object of completers has nothing else in it
  return found as Completer | undefined;
}

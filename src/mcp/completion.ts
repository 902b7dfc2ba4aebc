/** What prompts and templates of resources complete for a client that asks while its user types. */
import { z } from 'zod';
import type { CallContext } from './tool.ts';

/** What completes an argument has at hand besides what has been typed. */
export interface CompletionContext extends CallContext {
  /** The arguments that have been filled in already. */
  readonly given: Readonly<Record<string, string>>;
}

/** The values that an argument may have, best first, from what has been typed: those that begin so, say. A client gets a hundred. */
export type Completer = (
  typed: string,
  context: CompletionContext,
) => readonly string[] | Promise<readonly string[]>;

/** What has no arguments or parameters. */
export const NO_FIELDS = z.object({});
export type NoFields = typeof NO_FIELDS;

/** Completers by the arguments that they are for. */
export type Completers<Args extends z.ZodObject> = {
  readonly [Name in keyof z.input<Args>]?: Completer;
};

/** The completer of an argument, which a client names. */
export function completerOf<Args extends z.ZodObject>(
  completers: Completers<Args> | undefined,
  name: string,
): Completer | undefined {
  const found: unknown = Object.entries(completers ?? {}).find(([known]) => known === name)?.[1];
  // oxlint-disable-next-line no-unsafe-type-assertion -- an object of completers has nothing else in it
  return found as Completer | undefined;
}

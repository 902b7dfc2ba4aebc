/** What a command of `npm run token` is: its words for the help, its options, and what it does. */
import type { ExitCode } from './command-error.ts';
import type { CommandContext } from './context.ts';

/** An option that takes a value: how the help calls the value, and what it says of it. */
export type CommandOption = readonly [placeholder: string, words: string];

/** What the command line and the help know of a command; it stands in `words.mjs`, which can be read before anything is built. */
export interface CommandWords {
  /** How it is called: the first line stands in the overview. */
  readonly usage: readonly [string, ...string[]];
  /** What the overview says. */
  readonly summary: string;
  /** What its own help says. */
  readonly about: string;
  /** What stands behind its name, where something does. */
  readonly argument?: 'ID' | 'FILE';
  readonly options?: Readonly<Record<string, CommandOption>>;
}

/** One command. */
export interface Command {
  /** Does it; without an exit code it is done. */
  run(context: CommandContext): Promise<ExitCode | void> | ExitCode | void;
}

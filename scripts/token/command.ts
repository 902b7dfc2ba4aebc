/** What a command of `npm run token` is: its words for the help, its options, and what it does. */
import type { ExitCode } from './command-error.ts';
import type { CommandContext } from './context.ts';

/** An option that takes a value: the placeholder that the help shows for the value, and the description. */
export type CommandOption = readonly [placeholder: string, words: string];

/** What the command line and the help know of a command. It stands in `words.mjs`, which can be read before anything is built. */
export interface CommandWords {
  /** How the command is called; the first line is shown in the overview. */
  readonly usage: readonly [string, ...string[]];
  /** Its description in the overview. */
  readonly summary: string;
  /** The description in its own help. */
  readonly about: string;
  /** The argument after its name, if it takes one. */
  readonly argument?: 'ID' | 'FILE';
  readonly options?: Readonly<Record<string, CommandOption>>;
}

/** One command. */
export interface Command {
  /** Runs the command. Without an exit code, it has succeeded. */
  run(context: CommandContext): Promise<ExitCode | void> | ExitCode | void;
}

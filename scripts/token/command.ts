/** What a command of `npm run token` is: its words for the help, its options, and what it does. */
import type { ExitCode } from './command-error.ts';
import type { CommandContext } from './context.ts';

/** An option that takes a value: how the help calls the value, and what it says of it. */
export type CommandOption = readonly [placeholder: string, words: string];

/** One command. */
export interface Command {
  /** How it is called: the first line stands in the overview. */
  readonly usage: readonly [string, ...string[]];
  /** What the overview says. */
  readonly summary: string;
  /** What its own help says. */
  readonly about: string;
  /** What stands behind its name, where something does. */
  readonly argument?: 'ID' | 'FILE';
  readonly options?: Readonly<Record<string, CommandOption>>;
  /** Does it; without an exit code it is done. */
  run(context: CommandContext): Promise<ExitCode | void> | ExitCode | void;
}

/** Options that several commands have. */
export const SHARED_OPTIONS = {
  user: ['USER', 'instead of an id: all tokens of this user'],
  name: ['NAME', 'what to call the user'],
  scopes: ['LIST', 'the tools it opens, such as greet,echo; all; or none: those that need no scope'],
  note: ['TEXT', 'for yourself; list shows it'],
  url: ['URL', "the server's address in what is shown to connect. Default: PUBLIC_URL"],
} as const satisfies Readonly<Record<string, CommandOption>>;

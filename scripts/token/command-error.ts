/** How commands fail, and the exit codes that scripts may rely on. */

/** The exit codes. */
export const EXIT = {
  done: 0,
  /** The file cannot be used, read or written. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** No such token or user; or, for `check`, a token that is not valid. */
  noSuchToken: 3,
} as const;

/** One of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A failure whose message tells a person all they need. The message never holds a token. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** Makes the error for a wrong command line: what is wrong with it, followed by the help. */
export function misuse(words: string, help: string, options?: ErrorOptions): CommandError {
  return new CommandError(EXIT.usage, `${words}\n\n${help}`, options);
}

/** Why a token on the command line is refused. */
export const NOT_ON_THE_COMMAND_LINE =
  'A token is never taken from the command line: other users see it in the process list, and the shell keeps it in its ' +
  'history. Give it on standard input.';

/** Whether an argument looks like one of our tokens. */
export function looksLikeToken(argument: string): boolean {
  return /mcp_[\w-]{20,}/.test(argument);
}

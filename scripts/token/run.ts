/** Runs one command of `npm run token` from its command line to its exit code. */
import { TokenFileError } from '../../src/auth/tokens/token-file-error.ts';
import { TokenStoreError } from '../../src/auth/tokens/token-store-error.ts';
import { ConfigError } from '../../src/config/config-error.ts';
import type { Environment } from '../../src/config/environment.ts';
import { CommandError, EXIT, type ExitCode } from './command-error.ts';
import { parseCommandLine } from './command-line.ts';
import { COMMANDS } from './commands.ts';
import { type CommandContext, type CommandOutput, createContext } from './context.ts';

/** Runs the command that the arguments name. An error that a person can mend is printed; any other is thrown. */
export async function runTokenCommand(
  args: readonly string[],
  environment: Environment,
  output: CommandOutput,
): Promise<ExitCode> {
  try {
    const line = parseCommandLine(args);
    if ('help' in line) {
      output.print(line.help);
      return EXIT.done;
    }
    return (await run(createContext(line, environment, output))) ?? EXIT.done;
  } catch (error) {
    if (!(error instanceof CommandError || error instanceof ConfigError)) throw error;
    output.warn(error.message);
    return error instanceof CommandError ? error.exitCode : EXIT.failed;
  }
}

/** Runs the command. An error of the token file is reported with the file's name. */
async function run(context: CommandContext): Promise<ExitCode | void> {
  try {
    return await COMMANDS[context.line.command].run(context);
  } catch (error) {
    if (error instanceof TokenStoreError)
      throw new CommandError(EXIT.failed, error.message, { cause: error });
    if (!(error instanceof TokenFileError)) throw error;
    throw new CommandError(EXIT.failed, `${context.store.name}: ${error.message}.`, { cause: error });
  }
}

/** `npm run token`: makes, lists, changes and ends the tokens of this server. */
import { TokenFileError } from '../src/auth/tokens/token-file-error.ts';
import { TokenStoreError } from '../src/auth/tokens/token-store-error.ts';
import { ConfigError } from '../src/config/config-error.ts';
import { CommandError, EXIT, type ExitCode } from './token/command-error.ts';
import { parseCommandLine } from './token/command-line.ts';
import { COMMANDS } from './token/commands.ts';
import { type CommandContext, type CommandOutput, createContext } from './token/context.ts';

/** The clock, and where commands write. */
const OUTPUT: CommandOutput = {
  now: Date.now,
  print: (text) => console.log(text),
  warn: (text) => console.error(text),
};

process.exitCode = await main();

/** Runs what the command line asks for. */
async function main(): Promise<ExitCode> {
  // Whoever read our output, such as `head`, has gone.
  process.stdout.on('error', () => undefined);
  try {
    const line = parseCommandLine(process.argv.slice(2));
    if ('help' in line) {
      console.log(line.help);
      return EXIT.done;
    }
    const context = createContext(line, process.env, OUTPUT);
    return (await run(context)) ?? EXIT.done;
  } catch (error) {
    if (!(error instanceof CommandError || error instanceof ConfigError)) throw error;
    console.error(error.message);
    return error instanceof CommandError ? error.exitCode : EXIT.failed;
  }
}

/** Runs the command; a fault of the file that it read is told with the file's name. */
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

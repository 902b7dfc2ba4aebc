/** What every program of the lab answers to `--help` and to a command line that is wrong; nothing else happens. */
import { isHelpWanted } from '../scripts/help.mjs';
import { CommandError } from '../scripts/token/command-error.ts';
import { parseOptions } from '../scripts/token/options.ts';

/** Prints the usage if that is what was asked for; returns whether it was. */
export function helped(usage: string, args: readonly string[] = process.argv.slice(2)): boolean {
  if (!isHelpWanted(args)) return false;
  console.log(usage);
  return true;
}

/** Whether a command line of a program that takes no more than these switches is understood: those that stand there; undefined after having said what is wrong. */
export function understoodSwitches(
  subject: string,
  help: string,
  switches: readonly string[] = [],
): ReadonlySet<string> | undefined {
  const table = { subject, help, texts: [], switches, most: 0 };
  return understood(() => parseOptions(process.argv.slice(2), table))?.switches;
}

/** What a command line asks for; undefined after having said what is wrong with it. */
export function understood<Line>(read: () => Line): Line | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    console.error(error.message);
    return undefined;
  }
}

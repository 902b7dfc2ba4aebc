/** Handles `--help` and wrong command lines for every program of the lab. */
import { isHelpWanted } from '../scripts/help.mjs';
import { CommandError } from '../scripts/token/command-error.ts';
import { parseOptions } from '../scripts/token/options.ts';

/** Prints the usage if the arguments ask for it; returns whether they do. */
export function helped(usage: string, args: readonly string[] = process.argv.slice(2)): boolean {
  if (!isHelpWanted(args)) return false;
  console.log(usage);
  return true;
}

/** Parses a command line of switches only. Returns the switches that are given; undefined when it is wrong, after printing why. */
export function understoodSwitches(
  subject: string,
  help: string,
  switches: readonly string[] = [],
): ReadonlySet<string> | undefined {
  const table = { subject, help, texts: [], switches, most: 0 };
  return understood(() => parseOptions(process.argv.slice(2), table))?.switches;
}

/** Reads a command line. Returns undefined when it is wrong, after printing why. */
export function understood<Line>(read: () => Line): Line | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    console.error(error.message);
    return undefined;
  }
}

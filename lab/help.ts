/** What every program of the lab answers to `--help`: its usage, and nothing else happens. */
import { isHelpWanted } from '../scripts/help.mjs';

/** Prints the usage if that is what was asked for; returns whether it was. */
export function helped(usage: string, args: readonly string[] = process.argv.slice(2)): boolean {
  if (!isHelpWanted(args)) return false;
  console.log(usage);
  return true;
}

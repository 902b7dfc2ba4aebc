/** What every program of the lab answers to `--help`: its usage, and nothing else happens. */

/** Prints the usage if that is what was asked for; returns whether it was. */
export function helped(usage: string, args: readonly string[] = process.argv.slice(2)): boolean {
  if (!args.some((arg) => arg === '--help' || arg === '-h')) return false;
  console.log(usage);
  return true;
}

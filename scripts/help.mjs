/** What the commands that take no arguments do with one: `--help` is answered, anything else is refused in words. */

/**
 * Ends the process when there are arguments.
 *
 * @param {readonly string[]} args what follows the command
 * @param {string} usage what `--help` prints
 */
export function helpOrRefuse(args, usage) {
  const [first] = args;
  if (first === undefined) return;
  if (first === '--help' || first === '-h') {
    process.stdout.write(usage);
    process.exit(0);
  }
  process.stderr.write(
    `Unknown argument ${JSON.stringify(first)}. Settings are environment variables; .env.example lists them.\n\n${usage}`,
  );
  process.exit(2);
}

/** `--help`: whether it is asked for, and what the commands that take no arguments do with one. */

// Its syntax is Node 14's, as that of prepare.mjs, which says why.

/**
 * Whether help is asked for: then nothing else is done, whatever else stands there.
 *
 * @param {readonly string[]} args what follows the command
 */
export function isHelpWanted(args) {
  return args.includes('--help') || args.includes('-h');
}

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

/** `--help`: finds whether it is asked for, and handles the arguments of commands that take none. */

// Its syntax is that of Node 14, like that of prepare.mjs, which says why.

/**
 * Whether the arguments ask for help, whatever else they hold.
 *
 * @param {readonly string[]} args what follows the command
 */
export function isHelpWanted(args) {
  return args.includes('--help') || args.includes('-h');
}

/**
 * Ends the process when there are arguments: prints the help if they ask for it, otherwise refuses them.
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

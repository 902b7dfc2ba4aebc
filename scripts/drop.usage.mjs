/** What `npm run drop -- --help` prints. */
import { ISLANDS } from './fork/islands.mjs';

const WIDTH = Math.max(...ISLANDS.map(({ name }) => name.length));

export const USAGE = `Usage: npm run drop -- NAME [OPTIONS]

Removes an optional part of the server from a fork: its files, the lines that wire it in, and the tests of that part alone.

${ISLANDS.map(({ name, what }) => `  ${name.padEnd(WIDTH)} ${what}`).join('\n')}

  --dry-run    list what would be written and deleted, and change nothing
  --force      run even if there are uncommitted changes
  -h, --help   this text

Exit codes: 0 done, 1 it cannot be done (nothing has been changed), 2 wrong command line.`;

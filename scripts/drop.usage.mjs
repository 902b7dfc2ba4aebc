/** What `npm run drop -- --help` prints. */
import { ISLANDS } from './fork/islands.mjs';

const WIDTH = Math.max(...ISLANDS.map(({ name }) => name.length));

export const USAGE = `Usage: npm run drop -- NAME [OPTIONS]

Takes an optional part of the server out of a fork: its files, the lines that wire it, and the tests that are of nothing else.

${ISLANDS.map(({ name, what }) => `  ${name.padEnd(WIDTH)} ${what}`).join('\n')}

  --dry-run    list what would be written and deleted, and change nothing
  --force      even though something is not committed
  -h, --help   this text

Exit codes: 0 done, 1 it cannot be done (nothing has been changed), 2 wrong command line.`;

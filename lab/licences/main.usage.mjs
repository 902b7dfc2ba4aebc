/** What `npm run licences -- --help` prints. */

export const USAGE = `Usage: npm run licences -- [--check]
Writes docs/LICENCES.md, the licences of what the server needs at run time; fails on one that nobody has looked at.
  --check  only compares`;

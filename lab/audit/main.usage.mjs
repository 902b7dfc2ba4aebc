/** What `npm run audit -- --help` prints. */

export const USAGE = `Usage: npm run audit
Asks npm's registry for known vulnerabilities of the dependencies that the server needs at run time. Exit code: 1 for a high one.`;

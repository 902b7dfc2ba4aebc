/** What `npm run soak -- --help` prints. */

export const USAGE = 'Usage: npm run soak -- [--minutes N] (default 5)';

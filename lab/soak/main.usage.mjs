/** What `npm run soak -- --help` prints. */

export const USAGE = `Usage: npm run soak -- [--minutes N] [--instances N]
  --minutes N     how long (default 5)
  --instances N   so many processes over a redis-server of its own, which are killed while Redis is restarted and hangs: no answer that was
                  promised is lost, none comes twice, none goes to somebody else`;

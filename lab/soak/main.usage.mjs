/** What `npm run soak -- --help` prints. */

export const USAGE = `Usage: npm run soak -- [--minutes N] [--full-speed | --instances N] [--seed N]
  --minutes N     how long (default 5)
  --full-speed    clients of the benchmark in place of mixed users: they open and end sessions and call as fast as the server answers
  --instances N   so many processes over a redis-server of its own, which are killed while Redis is restarted and hangs: no answer that was
                  promised is lost, none comes twice, none goes to somebody else
  --seed N        of several processes: which troubles and calls; the default is a different one each time, and is printed`;

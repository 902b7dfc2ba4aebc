/** What `npm run usage -- --help` prints. */

export const USAGE = `Who called what, from the server's log: npm run usage -- [--since TIME] [--json] [FILE…] < server.log

  FILE          files of the log, instead of standard input; they may be compressed by gzip (or zstd, from Node 22.15 on)
  --since TIME  only what happened since then: a length of time (7d, 12h) or a date (2027-06-30)
  --json        answer in JSON on standard output
  -h, --help    this text

Shows by user and tool how many calls and errors there were, how long calls took (p50 and p99, exact to about 1%), and the first and
the last day; and by address and reason the refused logins. It needs log lines of the level info (LOG_LEVEL). Exit codes: 0 done,
1 the log cannot be read, 2 wrong command line.`;

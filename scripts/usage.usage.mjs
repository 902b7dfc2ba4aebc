/** What `npm run usage -- --help` prints. */

export const USAGE = `Who called what, from the server's log: npm run usage -- [--since TIME] [--json] [FILE…] < server.log

  FILE          files of the log instead of standard input, also such that gzip (or zstd, from Node 22.15 on) has compressed
  --since TIME  only what happened since then: a length of time (7d, 12h) or a date (2027-06-30)
  --json        answer in JSON on standard output
  -h, --help    this text

Shows calls, errors, and how long they took (p50 and p99, to one in a hundred) by user and tool, with the first and the last day; and
refused logins by address and reason. It needs lines of the level info (LOG_LEVEL). Exit codes: 0 done, 1 the log cannot be read,
2 wrong command line.`;

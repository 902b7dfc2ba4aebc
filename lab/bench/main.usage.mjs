/** What `npm run bench -- --help` prints. */

/** How often each row is measured by default. */
export const THOROUGH_ROUNDS = 5;

export const USAGE = `Usage: npm run bench -- [options]
  --quick         one short round of this server and the floor: everything works, figures are rough
  --peers         measure other MCP servers too; installs them into lab/bench/peers/node_modules
  --only ROW      only the rows whose names begin so; may be given several times; one that is not there lists them
  --rounds N      rounds per row (default ${THOROUGH_ROUNDS})
  --json FILE     write every round's figures
  --svg FILE      write the plot
  --figures FILE  measure nothing: take what --json has written
  --update-docs   put the rows into docs/performance.json, and what that then holds, as tables and plot, into docs/PERFORMANCE.md; with
                  --profile, where the time goes
  --profile DIR   write a CPU profile of this server for each row, and print its top functions; spoils the figures
  --verbose       show the servers' logs`;

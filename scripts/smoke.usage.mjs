/** What `npm run smoke -- --help` prints. */

export const USAGE = `Usage: npm run smoke -- URL [options]
Checks a deployed server from outside, as its clients would; changes nothing there.

  URL                  the address, such as https://my-app.example, with or without /mcp (or set SMOKE_URL)
  --token TOKEN        a token of the server (or set SMOKE_TOKEN, which no other user of this machine can see)
  --token2 TOKEN       a token of another user (or set SMOKE_TOKEN2), to check that users are kept apart
  --expect-user ID     the userId that the first token must belong to
  --mcp-remote         also connects through mcp-remote, as Claude Desktop does
  --instances N        also sends N times 20 calls in one session of each transport, for a load balancer to spread
  --restart            also checks that a session outlives a restart; restart the server when this asks for it
  --sign-in            also signs in on the page, as Claude on the web does, from discovery to revocation
  --idle SECONDS       also holds a stream of each transport open for this long, to find the host's limits
  --heartbeat SECONDS  the server's SSE_KEEPALIVE_SECONDS; default 15
  --max-body BYTES     the server's MAX_BODY_BYTES; default 4194304
  --timeout SECONDS    how long to wait for any one answer; default 10
  --allow-open         accept that the server is open, that is without authentication
  --allow-http         allow sending the token unencrypted to another machine
  --json               print one JSON object instead of lines
  --junit FILE         also write the result into a file, as JUnit XML for CI systems

Exit code: 0 all passed, 1 a check failed or could not run, 2 the URL could not be reached, 3 wrong command line.`;

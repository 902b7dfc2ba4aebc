/** What `npm run smoke -- --help` prints. */

export const USAGE = `Usage: npm run smoke -- URL [options]
Checks a deployed server from outside, as its clients would; changes nothing there.

  URL                  such as https://my-app.example, with or without /mcp (or SMOKE_URL)
  --token TOKEN        a token of it (or SMOKE_TOKEN, which no other user of this machine can see)
  --token2 TOKEN       a token of another user (or SMOKE_TOKEN2): checks that the two are kept apart
  --expect-user ID     the userId that the first token belongs to
  --mcp-remote         also connects through mcp-remote, as Claude Desktop does
  --instances N        also sends N times 20 calls of one session, and of one of HTTP+SSE: a balancer spreads them
  --restart            also keeps a session while you restart the server, when it asks for that
  --sign-in            also signs in on the page, as Claude on the web does, from discovery to revocation
  --idle SECONDS       also holds a stream of each transport that long, to find the host's limits
  --heartbeat SECONDS  the server's SSE_KEEPALIVE_SECONDS; default 15
  --max-body BYTES     the server's MAX_BODY_BYTES; default 4194304
  --timeout SECONDS    for any one answer; default 10
  --allow-open         an open server is what is meant
  --allow-http         let the token travel unencrypted to another machine
  --json               print one JSON object instead of lines
  --junit FILE         also write the run into a file, as CI systems read it

Exit code: 0 all passed, 1 a check failed or could not run, 2 the URL could not be reached, 3 this usage.`;

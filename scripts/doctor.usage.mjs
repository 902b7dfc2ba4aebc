/** What `npm run doctor -- --help` prints. */

export const USAGE = `Usage: npm run doctor -- FILE [options]
Reads the configuration file of a client and tries each step of its way to the server: says which step fails, and what to do.

  FILE                 JSON, TOML or YAML, such as claude_desktop_config.json, .cursor/mcp.json, .vscode/mcp.json, ~/.codex/config.toml
                       or ~/.config/goose/config.yaml
  --entry NAME         the entry to check, if the file has several and none has the name of this server
  --timeout SECONDS    how long to wait for any one answer; default 10
  --json               print one JSON object instead of lines

If the client asks its user for the token or keeps it elsewhere, the doctor takes it from SMOKE_TOKEN. It uses that token only where a
credential belongs, never in an address. If the entry has a command, the doctor starts it, as the client would.

Exit code: 0 the client can connect, 1 it cannot, 3 wrong command line.`;

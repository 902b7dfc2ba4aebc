/** What `npm run doctor -- --help` prints. */

export const USAGE = `Usage: npm run doctor -- FILE [options]
Takes the configuration file of a client and walks its way to the server: says where it breaks, and what to do.

  FILE                 JSON, TOML or YAML, such as claude_desktop_config.json, .cursor/mcp.json, .vscode/mcp.json, ~/.codex/config.toml
                       or ~/.config/goose/config.yaml
  --entry NAME         the entry to look at, where the file has several and none is called like this server
  --timeout SECONDS    for any one answer; default 10
  --json               print one JSON object instead of lines

A token that the client asks for or keeps elsewhere is taken from SMOKE_TOKEN, and goes where a credential belongs: into no address.
A command in the entry is started, as the client would.

Exit code: 0 the client gets in, 1 the way breaks, 3 this usage.`;

/** What `npm run connect -- --help` prints. */

export const USAGE = `npm run connect -- [OPTIONS]

Prints what to paste into a client to connect it to this server: for one client, or for all of them.

  --url URL        the address of the server. Default: http://localhost:8000
  --token-stdin    read the token from standard input and insert it; without this option a placeholder is printed
  --client NAME    one of: sign-in, claude-desktop-bundle, claude-desktop, claude-desktop-stdio, claude-code, claude-code-json, mcp-json,
                   claude-connector, cursor,
                   vscode, vscode-insiders, vscode-cli, lm-studio, goose, codex, gemini-cli, windsurf, zed, cline,
                   opencode, copilot-cli, kiro, add-mcp, chatgpt, inspector, openai-agents, openai-responses, ai-sdk, curl,
                   server-json
  --link           print the one-click link of that client instead: it opens the client, which adds the server
  --name NAME      the name of the server in the client. Default: the server's own name
  -h, --help       this text

The bundle is a file: npm run -s connect -- --client claude-desktop-bundle > my.mcpb (without -s npm writes lines of its own into it).
A token is never taken from the command line. Exit codes: 0 done, 1 the configuration cannot be used, 2 wrong command line.`;

/** What `npm run clients -- --help` prints. */

export const USAGE = `Usage: npm run clients -- URL [--only NAME]
Gives client programs that people use, each at a fixed version from npm's registry and with an empty home, what "npm run connect" prints
for them, and has them list their servers. Claude Code, Gemini CLI and OpenCode connect for that; the others read their file. Together they
take much room in npm's cache, and none needs an account for this. The token is taken from SMOKE_TOKEN.

  URL          such as http://localhost:8000
  --only NAME  one of them: claude-code, codex, gemini-cli, opencode, cline, copilot-cli

Exit code: 0 every program listed the server, 1 one did not or could not be had, 2 this usage.`;

/** What `npm run verify -- --help` prints. */

export const USAGE = `Usage: npm run verify -- URL [--only NAME]
Has programs that others have written look at a running server: the MCP Inspector (--strict), the official conformance suite,
@apify/mcpc, mcporter, @mcpjam/sdk and mcpvals, each at a fixed version from npm's registry. The token is taken from SMOKE_TOKEN.

  URL          such as http://localhost:8000
  --only NAME  one of them: inspector, conformance, mcpc, mcporter, mcpjam, mcpvals

Exit code: 0 every check ran and passed, 1 one failed or did not run, 2 this usage.`;

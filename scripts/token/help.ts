/** What `npm run token -- help` says. */

/** The commands, in the order of a token's life. */
export const COMMAND_NAMES = ['create', 'list', 'check', 'rotate', 'revoke', 'export'] as const;

/** One of {@link COMMAND_NAMES}. */
export type CommandName = (typeof COMMAND_NAMES)[number];

const COMMON = `  --file FILE        another token file than TOKENS_FILE or tokens.json
  --json             answer in JSON on standard output
  -h, --help         this text`;

/** What there is. */
export const OVERVIEW = `The tokens of this server: npm run token -- COMMAND [OPTIONS]

  create --user USER   make a token, and show it once
  list                 all tokens, without their values
  check                say what the token on standard input is
  rotate ID            a successor for a token, which still works for a while
  revoke ID            make a token useless; --user USER: all of a user's
  export               the file on one line, for the secret AUTH_TOKENS

${COMMON}

COMMAND --help says more. For scripts, "npm run -s token" keeps npm's own lines away; where there is no npm, as in the
Docker image, it is: node dist/scripts/token.js COMMAND [OPTIONS]

A running server takes a change over within two seconds. Exit codes: 0 done, 1 the file cannot be used, 2 wrong command
line, 3 no such token (check: not valid).`;

/** What there is to say of each command. */
export const HELP: Readonly<Record<CommandName, string>> = {
  create: `npm run token -- create --user USER [OPTIONS]

Makes a token of 256 random bits, shows it once with a client configuration, and adds its SHA-256 digest to the token file,
which is made when there is none.

  --user USER        the user id: who the token belongs to
  --name NAME        what to call the user
  --scopes LIST      the tools it opens, such as greet,echo; '' for those that need no scope; without it all
  --expires WHEN     a length of time (90d, 12h) or a date (2027-06-30, 2027-06-30T12:00:00Z)
  --note TEXT        for yourself; list shows it
  --url URL          the server's address in the configuration that is shown
${COMMON}`,
  list: `npm run token -- list [OPTIONS]

Shows every token: id, user, name, scopes, when it was created and when it expires, and its state (valid, disabled, expired,
not yet valid). The id is what the server's log calls tokenId.

${COMMON}`,
  check: `npm run token -- check [OPTIONS] < FILE

Reads a token from standard input, or asks for it, and says what it is. Exit code 3: it is not valid. A token is never taken
from the command line.

${COMMON}`,
  rotate: `npm run token -- rotate ID [OPTIONS]

Makes a new token for the user of an old one, with the same name, scopes and metadata, and shows it once. The old one works
until the overlap is over, so that nothing is cut while the new one is handed out.

  --overlap TIME     how long the old one still works, such as 2h or 7d; 0 for not at all. Default: 24h
  --expires WHEN     when the new one expires (90d, or a date). Default: it lasts as long as the old one was made for
  --url URL          the server's address in the configuration that is shown
${COMMON}`,
  revoke: `npm run token -- revoke ID [OPTIONS]
npm run token -- revoke --user USER [OPTIONS]

Removes a token, or all tokens of a user, from the file. The next request with it is refused, and its open streams are closed.

  --user USER        instead of an id: the user whose tokens to remove
${COMMON}`,
  export: `npm run token -- export [OPTIONS]

Prints the token file on one line, with digests in the place of tokens, for the secret AUTH_TOKENS of a host that gives
secrets as variables: npm run -s token -- export

${COMMON}`,
};

/** The words of `npm run token`: its commands in the order of a token's life, how each is called, and its options. */

/** Options that several commands have: the placeholder of the value, and the description. */
const SHARED = /** @type {const} */ ({
  user: ['USER', 'all tokens of this user, instead of one by its id'],
  name: ['NAME', 'what to call the user'],
  scopes: ['LIST', 'the scopes it grants, such as greet,echo; all; or none, for tools that need no scope'],
  expires: ['WHEN', 'a length of time (90d, 12h) or a date (2027-06-30, 2027-06-30T12:00:00Z)'],
  limit: ['CALLS', 'how many tool calls a minute, instead of CALLS_PER_MINUTE; 0: no limit'],
  note: ['TEXT', 'a note for yourself, which list shows'],
  url: ['URL', 'the address of the server in what is shown for connecting. Default: PUBLIC_URL'],
});

const TABLE = /** @satisfies {Readonly<Record<string, import('./command.ts').CommandWords>>} */ ({
  create: {
    usage: ['create --user USER'],
    summary: 'make a token, and show it once',
    about: `Makes a token of 256 random bits, shows it once with a client configuration, and adds its SHA-256 digest to the token file,
which is made when there is none.`,
    options: {
      user: ['USER', 'the user id: who the token belongs to'],
      name: SHARED.name,
      scopes: [SHARED.scopes[0], `${SHARED.scopes[1]}. Default: all`],
      expires: SHARED.expires,
      limit: SHARED.limit,
      note: SHARED.note,
      url: SHARED.url,
    },
  },
  import: {
    usage: ['import FILE.csv'],
    summary: 'make a token for every user in a table who has none',
    about: `Reads a table with the columns user, name, scopes, expires. All but the first may be missing; scopes are separated by spaces; an
empty cell counts as an option of create that is not given. Makes a token for every user who has none, not even a disabled or
expired one, and prints a table with the columns user, token and link. A link opens the page for its user: it holds the token
behind the #, which no server sees. All or nothing: when a row is wrong, it is named, and nothing is written.`,
    argument: 'FILE',
    options: { url: SHARED.url },
  },
  list: {
    usage: ['list'],
    summary: 'all tokens, without their values',
    about: `Shows every token: id, user, name, scopes, when it was created and when it expires, and its state (valid, disabled, expired,
not yet valid). The id is the tokenId of the server's log. With --log the table also shows the day of each token's last use, and
the clients through which its user has signed in.`,
    options: { log: ['FILE', "a file of the server's log, which may be compressed by gzip"] },
  },
  check: {
    usage: ['check'],
    summary: 'describe the token on standard input',
    about: `Reads a token from standard input, or asks for it, and describes it. Exit code 3: it is not valid. A token is never taken
from the command line.`,
  },
  edit: {
    usage: ['edit ID'],
    summary: "change a token's name, scopes, expiry, limit or note",
    about:
      'Changes only what the options name. The token itself stays the same, and its streams and sessions go on.',
    argument: 'ID',
    options: {
      name: SHARED.name,
      scopes: SHARED.scopes,
      expires: [SHARED.expires[0], `${SHARED.expires[1]}, or never`],
      limit: [SHARED.limit[0], `${SHARED.limit[1]}; "default": CALLS_PER_MINUTE again`],
      note: SHARED.note,
    },
  },
  rotate: {
    usage: ['rotate ID'],
    summary: 'make a successor for a token, which itself still works for a while',
    about: `Makes a new token for the user of an old one, with the same name, scopes and metadata, and shows it once. The old one works
until the overlap is over, so that nothing is cut while the new one is handed out.`,
    argument: 'ID',
    options: {
      overlap: [
        'TIME',
        'how long the old one still works, such as 2h or 7d; 0: it stops at once. Default: 24h',
      ],
      expires: [
        'WHEN',
        'when the new one expires (90d, or a date). Default: it has the lifetime of the old one',
      ],
      url: SHARED.url,
    },
  },
  disable: {
    ...ofChosen('disable'),
    summary: 'make a token useless until it is enabled',
    about: 'The next request with the token is refused, and its open streams are closed. The entry stays.',
  },
  enable: {
    ...ofChosen('enable'),
    summary: 'make a disabled token valid again',
    about: 'Undoes what disable did.',
  },
  'sign-out': {
    ...ofChosen('sign-out'),
    summary: 'end the sign-ins that were made with a token',
    about: `Everything that was issued when somebody signed in with the token is no longer valid; the token itself stays valid. The
time of this command is stored in the entry, as signInsSince.`,
  },
  revoke: {
    ...ofChosen('revoke'),
    summary: 'make a token useless for ever; with --user USER, all tokens of a user',
    about:
      'Removes a token, or all tokens of a user, from the file. The next request with it is refused, and its open streams are closed.',
  },
  prune: {
    usage: ['prune'],
    summary: 'remove the entries of expired tokens',
    about:
      'Removes expired tokens from the file. The server then answers that such a token is unknown, no longer that it has expired.',
    options: { older: ['TIME', 'only those that expired at least this long ago, such as 30d. Default: 0'] },
  },
  export: {
    usage: ['export'],
    summary: 'print the file on one line, for the secret AUTH_TOKENS',
    about: `Prints the token file on one line, with digests instead of tokens, for the secret AUTH_TOKENS of a host that gives
secrets as variables: npm run -s token -- export`,
  },
  secret: {
    usage: ['secret'],
    summary: 'print a value for SERVER_SECRET',
    about:
      'Prints 256 random bits in base64url, for the variable SERVER_SECRET. Whoever has it can make sessions and sign-ins of any user.',
  },
});

/** @typedef {keyof typeof TABLE} CommandName The name of a command. */

/**
 * Every command by its name.
 *
 * @type {Readonly<Record<CommandName, import('./command.ts').CommandWords>>}
 */
export const COMMAND_WORDS = TABLE;

/** The names, in the order of the overview. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of a literal, which TypeScript widens to string
export const COMMAND_NAMES = /** @type {readonly CommandName[]} */ (Object.keys(TABLE));

/**
 * What the commands that take an id or a user have in common.
 *
 * @param {string} name
 * @returns {Pick<import('./command.ts').CommandWords, 'usage' | 'argument' | 'options'>}
 */
function ofChosen(name) {
  return { usage: [`${name} ID`, `${name} --user USER`], argument: 'ID', options: { user: SHARED.user } };
}

/** What `npm run init -- --help` prints. */

export const USAGE = `Usage: npm run init -- [OPTIONS]

Turns a fork of this template into a server of your own: sets its name, title and address, each in the one place that holds it,
removes the example tools that you do not keep, starts README.md and CHANGELOG.md anew, and deletes tests/template/.
On a terminal it asks for what the options do not say; elsewhere --name is required.

  --name NAME      the name in package.json, which clients are told too: lower-case letters, digits, - and _
  --title TITLE    the title in src/definition.ts, for people to read. Default: made from the name
  --address URL    where it will run, such as https://my-app.example (homepage in package.json). Default: none
  --keep TOOLS     the example tools to keep: greeting, echo, whoami (separated by commas), all or none. Default: all
  --drop-docs      also delete the template's own documents, docs/01 to docs/11
  --dry-run        list what would be written and deleted, and change nothing
  --force          run even if there are uncommitted changes, or if init has run on this fork before
  -h, --help       this text

Exit codes: 0 done, 1 it cannot be done (nothing has been changed), 2 wrong command line.`;

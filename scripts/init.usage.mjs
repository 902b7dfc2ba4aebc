/** What `npm run init -- --help` prints. */

export const USAGE = `Usage: npm run init -- [OPTIONS]

Makes a fork of this template a server of your own: changes the one place in which its name, title and address stand, removes the
example tools that you do not keep, begins README.md and CHANGELOG.md anew, and deletes tests/template/.
On a terminal it asks for what is not given; elsewhere --name must be there.

  --name NAME      lower-case letters, digits, - and _: package.json, and what clients are told
  --title TITLE    for people: src/definition.ts. Default: made of the name
  --address URL    where it will run, such as https://my-app.example: homepage in package.json. Default: none
  --keep TOOLS     which example tools stay: greeting, echo, whoami (with commas between them), all or none. Default: all
  --drop-docs      delete the template's own documents too: docs/01 to docs/11
  --dry-run        list what would be written and deleted, and change nothing
  --force          even though something is not committed, or the fork has been made your own already
  -h, --help       this text

Exit codes: 0 done, 1 it cannot be done (nothing has been changed), 2 wrong command line.`;

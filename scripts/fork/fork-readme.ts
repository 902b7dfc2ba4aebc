/** The README of a fork that is no longer the template: short, with the commands that its people need. */
import type { Answers } from './answers.ts';

/** A placeholder: whoever runs the command puts the address there from which they forked. */
const TEMPLATE = 'URL-OF-THE-TEMPLATE';

/** The commands that merge a later version of the template; what the fork has deleted stays deleted. */
export function upstreamCommands(deleted: readonly string[]): string[] {
  return [
    `git remote add upstream ${TEMPLATE}`,
    'git fetch upstream',
    'git -c merge.fork.driver=true merge --no-commit upstream/main',
    removalOf(deleted),
    'npm test',
    'git commit --no-edit',
  ];
}

/** The command that deletes again what a merge brings back. */
export function removalOf(deleted: readonly string[]): string {
  return `git rm -rfq --ignore-unmatch ${deleted.join(' ')}`;
}

/** Matches that command in a README. */
const REMOVAL = /^git rm -rfq --ignore-unmatch (.+)$/m;

/** The paths that the command in a README deletes. */
export function deletedIn(readme: string): string[] {
  return REMOVAL.exec(readme)?.[1]?.split(' ') ?? [];
}

/** A README whose command deletes more paths, too; undefined when the README has no such command. */
export function withDeleted(readme: string, deleted: readonly string[]): string | undefined {
  if (!REMOVAL.test(readme)) return undefined;
  const all = new Set([...deletedIn(readme), ...deleted]);
  return readme.replace(REMOVAL, () => removalOf([...all]));
}

/** The text of README.md. */
export function forkReadme({ title, address }: Answers, deleted: readonly string[]): string {
  return `# ${title.replaceAll(/[\\`*_[\]<>#&]/g, String.raw`\$&`)}

An [MCP](https://modelcontextprotocol.io) server. Each caller has a token, each token belongs to a user, and every tool knows its
user.${address === undefined ? '' : ` It runs at <${address}>.`}

## Run it

\`\`\`sh
npm start   # installs and builds when needed, then serves on http://127.0.0.1:8000
npm test    # runs the tests, and checks lint, types and formatting
\`\`\`

On your own machine authentication is off. With \`AUTH_ENABLED=true\`, a \`tokens.json\`, \`NODE_ENV=production\`, or a \`HOST\` that is
not loopback it is on, and every caller needs a token; \`.env.example\` lists every variable.

\`\`\`sh
npm run token -- create --user ada --name "Ada Lovelace" --expires 90d
npm run token -- list
npm run connect -- --url ${address ?? 'http://localhost:8000'}
\`\`\`

The last one prints what to paste into each client.

## Change it

- \`src/tools/\`, \`src/features/\`, \`src/services/\`: what this server offers. \`tests/app/\` has their tests.
- \`src/definition.ts\`: its title, and its instructions for the model. Name and version stand in \`package.json\`.
- Everything else is the template's. [docs/ARCHITECTURE.md](docs/ARCHITECTURE.md) says where to change what.

## Keep up with the template

Run the first command once. Where the template has changed a file that is deleted here, git prints a modify/delete conflict; the
command with \`git rm\` resolves it. README, changelog, definition and tools stay as they are here, as \`.gitattributes\` says.
\`git show upstream/main:CHANGELOG.md\` says what to change by hand.

\`\`\`sh
${upstreamCommands(deleted).join('\n')}
\`\`\`
`;
}

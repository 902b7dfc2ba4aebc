/** `npm run init`: turns a fork of this template into a server of its own. */
import path from 'node:path';
import { type Answers, suggestName, suggestTitle } from './fork/answers.ts';
import { ask } from './fork/ask.ts';
import { describeEdits, type Edits, filesAt, makeEdits } from './fork/edits.ts';
import { upstreamCommands } from './fork/fork-readme.ts';
import { type InitLine, parseInitLine } from './fork/init-command-line.ts';
import { planInit, TEMPLATE_TESTS } from './fork/plan-init.ts';
import { USAGE } from './init.usage.mjs';
import { requireCommitted } from './fork/work-tree.ts';
import { CommandError, EXIT, type ExitCode, misuse } from './token/command-error.ts';

process.exitCode = await main();

/** Runs the command line in the folder in which npm runs scripts, that of package.json. Returns the exit code. */
async function main(): Promise<ExitCode> {
  try {
    const line = parseInitLine(process.argv.slice(2));
    if ('help' in line) {
      console.log(USAGE);
      return EXIT.done;
    }
    await init(process.cwd(), line);
    return EXIT.done;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    console.error(error.message);
    return error.exitCode;
  }
}

/** Checks that it may, asks, plans the edits, and then prints or makes them. */
async function init(root: string, { given, dropDocs, dryRun, force }: InitLine): Promise<void> {
  if (!force) await requireTemplate(root);
  if (!force && !dryRun) await requireCommitted(root);
  const answers = await complete(given, root);
  const { edits, deleted } = await planInit(root, { ...answers, dropDocs });
  if (dryRun) return console.log(['These changes would be made:', ...describeEdits(edits)].join('\n'));
  await makeEdits(root, edits);
  console.log(nextSteps(answers, edits, deleted));
}

/** Refuses a fork on which the command has run before, since its README and changelog would be lost. */
async function requireTemplate(root: string): Promise<void> {
  if ((await filesAt(root, TEMPLATE_TESTS)).length > 0) return;
  throw new CommandError(
    EXIT.failed,
    `${TEMPLATE_TESTS}/ is gone, so init has run on this fork already. Running it again would overwrite README.md and CHANGELOG.md; --force does that.`,
  );
}

/** Completes the answers: asks for those that are not given; where nobody can be asked, takes what would be suggested. */
async function complete(given: Partial<Answers>, root: string): Promise<Answers> {
  if (process.stdin.isTTY)
    return ask(given, suggestName(path.basename(root)), { input: process.stdin, output: process.stdout });
  const { name, address, keep = ['greeting', 'echo', 'whoami'] } = given;
  if (name === undefined) throw misuse('This is not a terminal, so init cannot ask: give --name.', USAGE);
  return { name, title: given.title ?? suggestTitle(name), address, keep };
}

/** The next steps for whoever ran the command. */
function nextSteps({ name, address }: Answers, edits: Edits, deleted: readonly string[]): string {
  const gone = [...edits.values()].filter((text) => text === undefined).length;
  return [
    `${edits.size - gone} files written, ${gone} deleted. Next:`,
    '',
    `  git add -A && git commit -m "Start ${name}"`,
    '  npm start',
    '  npm run token -- create --user me',
    `  npm run connect -- --url ${address ?? 'http://localhost:8000'}`,
    '',
    'Your tools go into src/tools/, their tests into tests/app/. To merge a later version of the template (README.md says more):',
    '',
    ...upstreamCommands(deleted).map((command) => `  ${command}`),
  ].join('\n');
}

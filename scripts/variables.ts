/** `npm run variables`: prints every variable of the server and of its services as a `.env` file whose lines are all comments. */
import { VARIABLE_GROUPS } from '../src/config/config.ts';
import type { Variables } from '../src/config/variable.ts';
import { definition } from '../src/definition.ts';
import { ownVariablesOf } from '../src/server/server-definition.ts';
import { isHelpWanted } from './help.mjs';
import { USAGE } from './variables.usage.mjs';

const HEAD = [
  '# Every variable of the server, with its default or an example. Copy to .env and uncomment what you change.',
  '# A variable that is set in the environment wins over this file; an empty value counts as not set.',
].join('\n');

/** Formats a group: each variable with its description above it. */
function spell(variables: Variables): string {
  return Object.entries(variables)
    .map(([name, { description, example }]) => `# ${description}\n# ${name}=${example}`)
    .join('\n');
}

/** A service may also use variables of the server, which stand in their own group, and variables that the platform sets. */
const known = new Set(VARIABLE_GROUPS.flatMap((group) => Object.keys(group)));
const own = Object.entries(ownVariablesOf(definition)).filter(
  ([name, { isSetByPlatform }]) => !known.has(name) && isSetByPlatform !== true,
);
const groups = [...VARIABLE_GROUPS, Object.fromEntries(own)].filter((group) => Object.keys(group).length > 0);
const text = [HEAD, ...groups.map(spell)].join('\n\n');
const [argument] = process.argv.slice(2);
if (argument === undefined) process.stdout.write(`${text}\n`);
else if (isHelpWanted(process.argv.slice(2))) process.stdout.write(`${USAGE}\n`);
else {
  console.error(`variables takes no arguments.\n\n${USAGE}`);
  process.exitCode = 2;
}

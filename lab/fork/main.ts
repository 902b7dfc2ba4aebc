/**
 * `npm run fork-proof`: forks this checkout as it is and does what people do with a fork: adds one of everything; makes it their
 * own and merges a later version; removes islands. The checks must pass each time.
 */
import { rm } from 'node:fs/promises';
import { parseOptions } from '../../scripts/token/options.ts';
import { misuse } from '../../scripts/token/command-error.ts';
import { helped, understood } from '../help.ts';
import { USAGE } from './main.usage.mjs';
import { COPIES, copyTemplate } from './checkout.ts';
import { forkOfItsOwn, forkThatAdds, forkWithoutIslands } from './forks.ts';
import { Steps } from './steps.ts';

const FORKS: ReadonlySet<string> = new Set(['adds', 'own', 'islands']);

if (!helped(USAGE)) process.exitCode = await main(process.argv.slice(2));

/** Takes all wanted steps; returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const line = understood(() => parseCommandLine(args));
  if (line === undefined) return 2;
  const { quick, names } = line;
  const wanted = (name: string): boolean => names.length === 0 || names.includes(name);
  const steps = new Steps();
  await steps.fork('The template', async () => {
    const template = await steps.take('copy this checkout', copyTemplate);
    if (wanted('adds')) await steps.fork('A fork that adds', async () => forkThatAdds(steps, template));
    if (wanted('islands'))
      await steps.fork('A fork without islands', async () => forkWithoutIslands(steps, template, { quick }));
    // Last, since it changes the template.
    if (wanted('own'))
      await steps.fork('A fork of its own', async () => forkOfItsOwn(steps, template, { quick }));
  });
  if (steps.failed === 0) await rm(COPIES, { recursive: true, force: true });
  console.log(`\n${steps.passed} passed, ${steps.failed} failed`);
  return steps.failed === 0 ? 0 : 1;
}

/**
 * Parses which forks are wanted, and whether to be quick.
 * @throws {CommandError} saying what is wrong
 */
function parseCommandLine(args: readonly string[]): { quick: boolean; names: readonly string[] } {
  const { switches, positionals } = parseOptions(args, {
    subject: 'fork-proof',
    help: USAGE,
    texts: [],
    switches: ['quick'],
  });
  if (positionals.every((name) => FORKS.has(name)))
    return { quick: switches.has('quick'), names: positionals };
  throw misuse(`The forks are: ${[...FORKS].join(', ')}.`, USAGE);
}

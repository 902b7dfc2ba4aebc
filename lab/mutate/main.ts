/**
 * `npm run mutate`: makes one change after the other in the sources of this server, and checks that a test fails. Survivors are
 * listed: each needs a test, or an entry in `explained.ts`.
 */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { misuse } from '../../scripts/token/command-error.ts';
import { parseOptions } from '../../scripts/token/options.ts';
import { helped, understood } from '../help.ts';
import { USAGE } from './main.usage.mjs';
import { mutantsOf } from './conditions.ts';
import { EXPLAINED } from './explained.ts';
import type { Mutant } from './mutant.ts';
import { NAMED } from './named.ts';
import { findBreaches } from './breaches.ts';
import { openWorkshop, type Workshop } from './workshop.ts';

/** The folders that are mutated. */
const FOLDERS = ['src/auth', 'src/sessions', 'src/mcp', 'src/http'];

/** The part of the mutants that must be killed at least. */
const AIM = 0.95;

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

process.exitCode = await main();

/** Runs the command line; returns the exit code. */
async function main(): Promise<number> {
  if (helped(USAGE)) return 0;
  const line = understood(readLine);
  if (line === undefined) return 2;
  const { only, sample, seed, switches } = line;
  const known = switches.has('promised')
    ? await findBreaches(ROOT)
    : switches.has('named')
      ? await findNamed()
      : undefined;
  const all = known ?? (await findMutants());
  const isOf = (part: string, { name }: Mutant): boolean =>
    known === undefined ? name.startsWith(part) : name.includes(part);
  const idle = only.filter((part) => !all.some((mutant) => isOf(part, mutant)));
  if (idle.length > 0) {
    console.error(`No mutant is of --only ${idle.join(', ')}; --list shows which there are.`);
    return 1;
  }
  const found = all.filter((mutant) => only.length === 0 || only.some((part) => isOf(part, mutant)));
  const mutants = sample === undefined ? found : pick(found, sample, seed);
  console.log(`mutate: ${mutants.length} of ${found.length} mutants`);
  if (switches.has('list')) {
    for (const { name } of mutants) console.log(`  ${name}`);
    return 0;
  }
  const workshop = await openWorkshop(ROOT, mutants);
  try {
    return await judgeAll(workshop, mutants, { isSample: sample !== undefined });
  } finally {
    await workshop.close();
  }
}

/** A parsed command line. */
interface MutateLine {
  readonly only: readonly string[];
  readonly sample: number | undefined;
  readonly seed: number;
  readonly switches: ReadonlySet<string>;
}

/**
 * Parses the command line.
 * @throws {CommandError} saying what is wrong
 */
function readLine(): MutateLine {
  const { texts, lists, switches } = parseOptions(process.argv.slice(2), {
    subject: 'mutate',
    help: USAGE,
    texts: ['seed', 'sample'],
    lists: ['only'],
    switches: ['named', 'promised', 'list'],
    most: 0,
  });
  const numberOf = (name: string): number | undefined => {
    const text = texts[name];
    if (text === undefined) return undefined;
    if (!/^[1-9]\d{0,8}$/.test(text))
      throw misuse(`--${name} takes a whole number from 1 to 999999999.`, USAGE);
    return Number(text);
  };
  return { only: lists['only'] ?? [], sample: numberOf('sample'), seed: numberOf('seed') ?? 1, switches };
}

/** Tries every mutant, until all are done or somebody presses Ctrl-C. Returns the exit code. */
async function judgeAll(
  workshop: Workshop,
  mutants: readonly Mutant[],
  { isSample }: { readonly isSample: boolean },
): Promise<number> {
  let isStopped = false;
  process.once('SIGINT', () => (isStopped = true));
  const survivors: Mutant[] = [];
  let judged = 0;
  for (const mutant of mutants) {
    if (isStopped) break;
    const fate = await workshop.judge(mutant);
    judged += 1;
    if (fate === 'survived') survivors.push(mutant);
    console.log(`${fate.padEnd(9)} ${mutant.name}`);
  }
  const unexplained = survivors.filter((mutant) => explanationOf(mutant) === undefined);
  const killed = judged - survivors.length;
  console.log(`\n${killed} of ${judged} killed, ${survivors.length - unexplained.length} explained.`);
  // A sample is in random order, so what has been tried of it is a sample, too.
  if (isSample && judged > 0) console.log(describeRange(killed, judged));
  for (const survivor of survivors)
    console.log(`  ${survivor.name}\n    ${explanationOf(survivor) ?? 'not explained'}`);
  // When none was tried, nothing is known.
  return judged > 0 && unexplained.length === 0 && killed >= AIM * judged ? 0 : 1;
}

/** Formats a part in percent. */
const percent = (value: number): string => `${(100 * Math.min(1, Math.max(0, value))).toFixed(0)} %`;

/** What a sample says of all: the range in which the true part lies with 95 % confidence (Wilson's score interval). */
function describeRange(killed: number, count: number): string {
  const z = 1.96;
  const part = killed / count;
  const middle = (part + z ** 2 / (2 * count)) / (1 + z ** 2 / count);
  const half =
    (z * Math.sqrt((part * (1 - part)) / count + z ** 2 / (4 * count ** 2))) / (1 + z ** 2 / count);
  return `Of all mutants ${percent(middle - half)} to ${percent(middle + half)} are killed (95 % confidence).`;
}

/** The reason why a mutant may survive; undefined when there is none. */
function explanationOf({ file, before }: Mutant): string | undefined {
  return EXPLAINED.find((known) => known.file === file && known.before === before)?.why;
}

/** The mutants of `named.ts`, with their places in the sources. */
async function findNamed(): Promise<Mutant[]> {
  const found: Mutant[] = [];
  for (const named of NAMED) {
    const start = (await readFile(path.join(ROOT, named.file), 'utf8')).indexOf(named.before);
    if (start === -1)
      throw new Error(`${named.file} has no place for "${named.name}"; change lab/mutate/named.ts.`);
    found.push({ ...named, start });
  }
  return found;
}

/** Makes the mutants of all files. */
async function findMutants(): Promise<Mutant[]> {
  const mutants: Mutant[] = [];
  for (const folder of FOLDERS) {
    const names = await readdir(path.join(ROOT, folder), { recursive: true });
    // Sorted, so that a seed draws the same mutants on every machine.
    for (const name of names.toSorted()) {
      const file = `${folder}/${name.replaceAll(path.sep, '/')}`;
      if (file.endsWith('.ts'))
        mutants.push(...mutantsOf(file, await readFile(path.join(ROOT, file), 'utf8')));
    }
  }
  return mutants;
}

/** Draws some mutants of a list, always the same for a seed. */
function pick(mutants: readonly Mutant[], count: number, seed: number): Mutant[] {
  const left = [...mutants];
  const chosen: Mutant[] = [];
  let state = seed;
  while (chosen.length < count && left.length > 0) {
    // A linear congruential generator (Numerical Recipes): any generator with repeatable numbers would do.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    // Uses its high bits, since the low ones soon repeat.
    chosen.push(...left.splice(Math.floor((state / 2 ** 32) * left.length), 1));
  }
  return chosen;
}

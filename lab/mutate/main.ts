/**
 * `npm run mutate`: changes the sources of this server in one place after the other and looks whether a test notices. What survives is
 * listed: it wants a test, or a line in `explained.ts`.
 */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { helped } from '../help.ts';
import { USAGE } from './main.usage.mjs';
import { mutantsOf } from './conditions.ts';
import { EXPLAINED } from './explained.ts';
import type { Mutant } from './mutant.ts';
import { NAMED } from './named.ts';
import { findBreaches } from './breaches.ts';
import { openWorkshop, type Workshop } from './workshop.ts';

/** What is mutated. */
const FOLDERS = ['src/auth', 'src/sessions', 'src/mcp', 'src/http'];

/** The part of the mutants that must be killed. */
const AIM = 0.95;

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

process.exitCode = await main();

/** Runs what the command line asks for; returns the exit code. */
async function main(): Promise<number> {
  if (helped(USAGE)) return 0;
  const { values } = parseArgs({
    options: {
      named: { type: 'boolean', default: false },
      promised: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      seed: { type: 'string', default: '1' },
      sample: { type: 'string' },
    },
  });
  const found = values.promised
    ? await findBreaches(ROOT)
    : values.named
      ? await findNamed()
      : await findMutants(values.only);
  const { sample } = values;
  const mutants = sample === undefined ? found : pick(found, Number(sample), Number(values.seed));
  console.log(`mutate: ${mutants.length} of ${found.length} mutants`);
  if (values.list) {
    for (const { name } of mutants) console.log(`  ${name}`);
    return 0;
  }
  const workshop = await openWorkshop(ROOT);
  try {
    return await judgeAll(workshop, mutants, { isSample: sample !== undefined });
  } finally {
    await workshop.close();
  }
}

/** Tries every mutant; returns the exit code. */
async function judgeAll(
  workshop: Workshop,
  mutants: readonly Mutant[],
  { isSample }: { readonly isSample: boolean },
): Promise<number> {
  const survivors: Mutant[] = [];
  for (const mutant of mutants) {
    const fate = await workshop.judge(mutant);
    if (fate === 'survived') survivors.push(mutant);
    console.log(`${fate.padEnd(9)} ${mutant.name}`);
  }
  const unexplained = survivors.filter((mutant) => explanationOf(mutant) === undefined);
  const killed = mutants.length - survivors.length;
  console.log(`\n${killed} of ${mutants.length} killed, ${survivors.length - unexplained.length} explained.`);
  if (isSample) console.log(describeRange(killed, mutants.length));
  for (const survivor of survivors)
    console.log(`  ${survivor.name}\n    ${explanationOf(survivor) ?? 'not explained'}`);
  return unexplained.length === 0 && killed >= AIM * mutants.length ? 0 : 1;
}

/** A part in percent. */
const percent = (value: number): string => `${(100 * Math.min(1, Math.max(0, value))).toFixed(0)} %`;

/** What a sample says of all: the range in which the true part lies with a probability of 95 % (Wilson's score interval). */
function describeRange(killed: number, count: number): string {
  const z = 1.96;
  const part = killed / count;
  const middle = (part + z ** 2 / (2 * count)) / (1 + z ** 2 / count);
  const half =
    (z * Math.sqrt((part * (1 - part)) / count + z ** 2 / (4 * count ** 2))) / (1 + z ** 2 / count);
  return `Of all mutants ${percent(middle - half)} to ${percent(middle + half)} are killed (95 % confidence).`;
}

/** Why a mutant may live. */
function explanationOf({ file, before }: Mutant): string | undefined {
  return EXPLAINED.find((known) => known.file === file && known.before === before)?.why;
}

/** The named ones, where they stand. */
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

/** The mutants of all files, or of some. */
async function findMutants(only: readonly string[]): Promise<Mutant[]> {
  const mutants: Mutant[] = [];
  for (const folder of FOLDERS) {
    const names = await readdir(path.join(ROOT, folder), { recursive: true });
    // In an order of its own, so that a seed draws the same everywhere.
    for (const name of names.toSorted()) {
      const file = `${folder}/${name.replaceAll(path.sep, '/')}`;
      const isWanted = only.length === 0 || only.some((start) => file.startsWith(start));
      if (!file.endsWith('.ts') || !isWanted) continue;
      mutants.push(...mutantsOf(file, await readFile(path.join(ROOT, file), 'utf8')));
    }
  }
  return mutants;
}

/** Some of a list: every time the same for the same seed. */
function pick(mutants: readonly Mutant[], count: number, seed: number): Mutant[] {
  const left = [...mutants];
  const chosen: Mutant[] = [];
  let state = seed;
  while (chosen.length < count && left.length > 0) {
    // A linear congruential generator (Numerical Recipes): any will do that gives the same numbers again.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    // Its high bits: the low ones repeat themselves soon.
    chosen.push(...left.splice(Math.floor((state / 2 ** 32) * left.length), 1));
  }
  return chosen;
}

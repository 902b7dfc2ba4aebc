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
      list: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      seed: { type: 'string', default: '1' },
      count: { type: 'string' },
    },
  });
  const found = values.named ? await findNamed() : await findMutants(values.only);
  const mutants = values.count === undefined ? found : pick(found, Number(values.count), Number(values.seed));
  console.log(`mutate: ${mutants.length} of ${found.length} mutants`);
  if (values.list) {
    for (const { name } of mutants) console.log(`  ${name}`);
    return 0;
  }
  const workshop = await openWorkshop(ROOT);
  try {
    return await judgeAll(workshop, mutants);
  } finally {
    await workshop.close();
  }
}

/** Tries every mutant; returns the exit code. */
async function judgeAll(workshop: Workshop, mutants: readonly Mutant[]): Promise<number> {
  if (!(await workshop.isSound())) {
    console.error('mutate: the tests fail without any mutant; mend that first.');
    return 1;
  }
  const survivors: Mutant[] = [];
  for (const mutant of mutants) {
    const fate = await workshop.judge(mutant);
    if (fate === 'survived') survivors.push(mutant);
    console.log(`${fate.padEnd(9)} ${mutant.name}`);
  }
  const unexplained = survivors.filter((mutant) => explanationOf(mutant) === undefined);
  const killed = mutants.length - survivors.length;
  console.log(`\n${killed} of ${mutants.length} killed, ${survivors.length - unexplained.length} explained.`);
  for (const survivor of survivors)
    console.log(`  ${survivor.name}\n    ${explanationOf(survivor) ?? 'not explained'}`);
  return unexplained.length === 0 && killed >= AIM * mutants.length ? 0 : 1;
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
    for (const name of await readdir(path.join(ROOT, folder), { recursive: true })) {
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
    chosen.push(...left.splice(state % left.length, 1));
  }
  return chosen;
}

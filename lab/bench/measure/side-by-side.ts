/**
 * Compares this server with itself in another setting. All sides run at once, and are loaded in short turns: between two starts, or
 * within a long window of seconds, a machine changes by more than the difference that is looked for.
 */
import { type Contestant, figuresOf, type Lab } from '../lab.ts';
import type { LoadJob, LoadResult } from '../load/job.ts';
import type { Series } from '../metrics.ts';
import { median } from '../statistics.ts';

/** The load of a side, without its duration. */
export type SideLoad = Omit<LoadJob, 'type' | 'warmUpMs' | 'durationMs'>;

/** A side whose server runs. */
export interface OpenSide {
  readonly load: SideLoad;
  close?(): Promise<void>;
}

/** One of the sides that are compared. */
export interface Side extends Contestant {
  open(): Promise<OpenSide>;
}

/** How long a side is loaded at a time. Shorter turns share the machine's other work more evenly; the kernel counts CPU time in 10 ms steps. */
const TURN_MS = 250;

/** Measures the sides of each group against each other. Each round starts the servers anew, since no two starts are alike. */
export async function measureSideBySide(lab: Lab, groups: readonly (readonly Side[])[]): Promise<Series[]> {
  const rounds = new Map(groups.flat().map((side) => [side, [] as Series['rounds'][number][]]));
  for (let round = 0; round < lab.settings.rounds; round += 1) {
    for (const sides of groups) {
      const names = sides.map(({ name }) => name).join(' | ');
      lab.progress(`round ${round + 1} of ${lab.settings.rounds}: ${names}`);
      const results = await measureRound(lab, round % 2 === 0 ? sides : sides.toReversed());
      for (const [side, result] of results) rounds.get(side)?.push(figuresOf(result));
    }
  }
  return [...rounds].map(([{ name, kind }, all]) => ({ server: name, kind, rounds: all }));
}

/** Measures one round of one group. Every side is opened and warmed up before the first turn. */
async function measureRound(lab: Lab, sides: readonly Side[]): Promise<Map<Side, LoadResult>> {
  const { warmUpMs, settleMs, durationMs } = lab.settings;
  const open: (OpenSide & { readonly side: Side; readonly results: LoadResult[] })[] = [];
  try {
    for (const side of sides) open.push({ ...(await side.open()), side, results: [] });
    for (const { load } of open) await lab.generator.load({ ...load, warmUpMs, durationMs: settleMs });
    const turns = Math.max(2, Math.round(durationMs / TURN_MS));
    for (let turn = 0; turn < turns; turn += 1) {
      // The order alternates, so that no side always comes after the others.
      for (const { load, results } of turn % 2 === 0 ? open : open.toReversed())
        results.push(await lab.generator.load({ ...load, warmUpMs: settleMs, durationMs: TURN_MS }));
    }
    return new Map(open.map(({ side, results }) => [side, addUp(results)]));
  } finally {
    await Promise.all(open.map(async ({ close }) => close?.()));
  }
}

/** Adds up the turns of a side to one measurement; its percentiles are the medians over the turns. */
function addUp(results: readonly LoadResult[]): LoadResult {
  const sum = (of: (result: LoadResult) => number): number =>
    results.reduce((total, result) => total + of(result), 0);
  return {
    calls: sum(({ calls }) => calls),
    seconds: sum(({ seconds }) => seconds),
    cpuMs: sum(({ cpuMs }) => cpuMs),
    p50Ms: median(results.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(results.map(({ p99Ms }) => p99Ms)),
    worstMs: Math.max(...results.map(({ worstMs }) => worstMs)),
  };
}

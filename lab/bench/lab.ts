/** What every row uses to measure: servers that are started for it alone, and rounds in which they take turns. */
import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import type { Cores } from './cores.ts';
import type { Generator } from './generator.ts';
import type { LoadResult } from './load/job.ts';
import type { Figures, Series } from './metrics.ts';
import { type RunningServer, startServer } from './server-process.ts';
import { waitUntilQuiet } from './process-stat.ts';
import type { Settings } from './settings.ts';
import { OURS, type Target } from './targets.ts';
import { writeTokenFile } from './tokens.ts';

/** What a run measures with. */
export interface Lab {
  readonly settings: Settings;
  readonly targets: readonly Target[];
  readonly cores: Cores;
  readonly generator: Generator;
  /** The folder in which the working directories of servers are made. */
  readonly directory: string;
  readonly verbose: boolean;
  /** The file for a CPU profile of this server; undefined when none is wanted. */
  readonly profileFile: string | undefined;
  /** Tells the user what is being done. */
  progress(text: string): void;
}

/** A server in a row, with its name there. */
export interface Contestant {
  readonly name: string;
  readonly kind: Series['kind'];
}

/** How to start a target. */
interface TargetOptions {
  readonly tokens?: number;
  readonly withHeapProbe?: boolean;
  /** If true, the start does not wait until everything is loaded. */
  readonly isStartMeasured?: boolean;
  /** Variables in addition to the target's own. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a target in a directory of its own, with a token file of `tokens` entries; by default waits until it is quiet. */
export async function startTarget(
  lab: Lab,
  target: Target,
  { tokens = 1, withHeapProbe = false, isStartMeasured = false, env: more = {} }: TargetOptions = {},
): Promise<RunningServer & { readonly tokenFile: string }> {
  const directory = await mkdtemp(path.join(lab.directory, 'server-'));
  const tokenFile = path.join(directory, 'tokens.json');
  await writeTokenFile(tokenFile, tokens);
  const { name, script, env, node } = target;
  const server = await startServer({
    name,
    script,
    ...(node !== undefined && { node }),
    env: { ...env, ...more },
    directory,
    core: lab.cores.server,
    withHeapProbe,
    verbose: lab.verbose,
    ...(target === OURS && { profileFile: lab.profileFile }),
  });
  if (!isStartMeasured) await waitUntilQuiet(server.pid);
  return { ...server, tokenFile };
}

/** Measures every contestant once per round. Each round begins with another one, so that a slow minute affects all alike. */
export async function takeTurns<C extends Contestant>(
  lab: Lab,
  contestants: readonly C[],
  measure: (contestant: C) => Promise<Figures>,
): Promise<Series[]> {
  const rounds = contestants.map((): Figures[] => []);
  for (let round = 0; round < lab.settings.rounds; round += 1) {
    for (let turn = 0; turn < contestants.length; turn += 1) {
      const index = (round + turn) % contestants.length;
      const contestant = contestants[index];
      if (contestant === undefined) continue;
      lab.progress(`round ${round + 1} of ${lab.settings.rounds}: ${contestant.name}`);
      rounds[index]?.push(await measure(contestant));
    }
  }
  return contestants.map(({ name, kind }, index) => ({ server: name, kind, rounds: rounds[index] ?? [] }));
}

/** The figures of one measurement. */
export function figuresOf({ calls, seconds, cpuMs, p50Ms, p99Ms }: LoadResult): Figures {
  // A peer that takes a second to open a session may finish no call in a quick run.
  if (calls === 0) return { perSecond: 0 };
  return { cpuMicros: (cpuMs * 1000) / calls, perSecond: calls / seconds, p50Ms, p99Ms };
}

/** Chooses the cores for the server and for the load generator, so that neither takes CPU time from the other. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The cores of a run; undefined where processes cannot be pinned. */
export interface Cores {
  readonly server: number | undefined;
  readonly generator: number | undefined;
}

/** Chooses two different cores of those that this process may use, if `taskset` exists. */
export function chooseCores(): Cores {
  const allowed = allowedCores();
  const hasTaskset = spawnSync('taskset', ['--version'], { stdio: 'ignore' }).status === 0;
  if (!hasTaskset || allowed.length < 2) return { server: undefined, generator: undefined };
  return { server: allowed.at(-1), generator: allowed[0] };
}

/** Makes a command that runs on one core only. */
export function pinned(core: number | undefined, command: readonly string[]): readonly string[] {
  // taskset replaces itself with the program, so the process id stays the same.
  return core === undefined ? command : ['taskset', '--cpu-list', String(core), ...command];
}

/** The cores that this process may use. */
function allowedCores(): number[] {
  const list = /^Cpus_allowed_list:\s+(\S+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '';
  return list.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

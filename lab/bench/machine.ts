/** The machine that figures come from, in the words of a reader who wants to compare. */
import os from 'node:os';
import type { Cores } from './cores.ts';

/** What is said of the machine. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  readonly system: string;
  readonly pinned: boolean;
  /** Processes that wanted to run, the minute before: far above 0, and the figures are disturbed. */
  readonly loadBefore: number;
}

/** Describes this machine. */
export function describeMachine({ server }: Cores): Machine {
  const cpus = os.cpus();
  return {
    cpu: cpus[0]?.model.replaceAll(/\s+/g, ' ').trim() ?? 'unknown CPU',
    cores: cpus.length,
    node: process.versions.node,
    system: `${os.type()} ${os.release().split(/[-+]/)[0]}`,
    pinned: server !== undefined,
    loadBefore: os.loadavg()[0] ?? 0,
  };
}

/** One line about it. */
export function machineLine(machine: Machine): string {
  return `${placeLine(machine)}; ${loadWords(machine.loadBefore)}`;
}

/** What of it stays from run to run: figures from two such places are not to be compared. */
export function placeLine({ cpu, cores, node, system, pinned }: Machine): string {
  const where = pinned ? 'server and load generator on a core each' : 'processes not kept on cores';
  return `${cpu}, ${cores} cores, Node ${node}, ${system}; ${where}`;
}

/** What else used the processor. */
export function loadWords(loadBefore: number): string {
  return `load before the run ${loadBefore.toFixed(2)}`;
}

/** Describes the machine on which figures were measured, for readers who want to compare them. */
import os from 'node:os';
import type { Cores } from './cores.ts';

/** The facts about a machine. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  readonly system: string;
  readonly pinned: boolean;
  /** The load average of the minute before the run: if it is far above 0, the figures are disturbed. */
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

/** Describes the machine and its load in one line. */
export function machineLine(machine: Machine): string {
  return `${placeLine(machine)}; ${loadWords(machine.loadBefore)}`;
}

/** Describes what stays the same from run to run. When it differs, figures must not be compared. */
export function placeLine({ cpu, cores, node, system, pinned }: Machine): string {
  const where = pinned ? 'server and load generator on a core each' : 'processes not kept on cores';
  return `${cpu}, ${cores} cores, Node ${node}, ${system}; ${where}`;
}

/** Describes how busy the machine was. */
export function loadWords(loadBefore: number): string {
  return `load before the run ${loadBefore.toFixed(2)}`;
}

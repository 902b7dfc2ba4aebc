/** How long and how often is measured: thoroughly, or quickly to see that everything works. */
import { THOROUGH_ROUNDS } from './main.usage.mjs';

/** The settings of a run. */
export interface Settings {
  /** Each round measures every server once. */
  readonly rounds: number;
  /** CPU time of load that is not counted, for each server that is started: V8 compiles what is hot. */
  readonly warmUpMs: number;
  /** The same for a server that is measured again. */
  readonly settleMs: number;
  /** The window of a round. */
  readonly durationMs: number;
  /** The window of a round at a fixed rate: 3,000 calls in a thorough run, of which p99 leaves 30 above it. */
  readonly pacedMs: number;
  readonly idleSessions: number;
  /** How long V8 has, before idle CPU is watched, to give back what opening the sessions took: a few collections, within a minute. */
  readonly calmMs: number;
  /** How long idle CPU is watched: two heartbeats of every stream in a thorough run. */
  readonly idleMs: number;
  /** The entries of the large token file. */
  readonly tokens: number;
  /** The window in which the token file is replaced. */
  readonly reloadMs: number;
}

export const THOROUGH: Settings = {
  rounds: THOROUGH_ROUNDS,
  warmUpMs: 3_000,
  settleMs: 200,
  durationMs: 2_000,
  pacedMs: 20_000,
  idleSessions: 5_000,
  calmMs: 60_000,
  idleMs: 30_000,
  tokens: 100_000,
  reloadMs: 8_000,
};

export const QUICK: Settings = {
  rounds: 1,
  warmUpMs: 500,
  settleMs: 50,
  durationMs: 250,
  pacedMs: 400,
  idleSessions: 500,
  calmMs: 200,
  idleMs: 1_000,
  tokens: 20_000,
  reloadMs: 2_500,
};

/** How long and how often is measured: thoroughly, or quickly to see that everything works. */
import { THOROUGH_ROUNDS } from './main.usage.mjs';

/** The settings of a run. */
export interface Settings {
  /** The number of rounds; each measures every server once. */
  readonly rounds: number;
  /** How much CPU time each started server spends on load before any is counted, so that V8 has compiled the hot code. Milliseconds. */
  readonly warmUpMs: number;
  /** The same for a server that is measured again. Milliseconds. */
  readonly settleMs: number;
  /** The window of a round. Milliseconds. */
  readonly durationMs: number;
  /** The window of a round at a fixed rate. Milliseconds: in a thorough run it has 3,000 calls, of which 30 are above p99. */
  readonly pacedMs: number;
  readonly idleSessions: number;
  /** How long V8 may take, before idle CPU is measured, to free what opening the sessions took: a few collections, within a minute. Milliseconds. */
  readonly calmMs: number;
  /** How long idle CPU is measured: in a thorough run, two heartbeats of every stream. Milliseconds. */
  readonly idleMs: number;
  /** How many entries the large token file has. */
  readonly tokens: number;
  /** The window in which the token file is replaced. Milliseconds. */
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

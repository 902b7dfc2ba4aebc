/** A whole run, as `--json` writes it. */
import type { Machine } from '../machine.ts';
import type { RowResult } from '../metrics.ts';
import type { Settings } from '../settings.ts';

/** What was measured, where and how. */
export interface Run {
  /** The day, such as 2027-06-30. */
  readonly date: string;
  readonly machine: Machine;
  readonly settings: Settings;
  readonly rows: readonly RowResult[];
}

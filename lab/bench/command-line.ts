/** The command line of the benchmark. */
import { parseArgs } from 'node:util';
import { type Row, ROWS } from './rows.ts';
import { QUICK, type Settings, THOROUGH } from './settings.ts';

/** What a run was asked for. */
export interface Command {
  readonly rows: readonly Row[];
  readonly settings: Settings;
  readonly withPeers: boolean;
  readonly verbose: boolean;
  /** Where the CPU profiles of this server go, one for each row. */
  readonly profileDirectory: string | undefined;
  readonly jsonFile: string | undefined;
  readonly svgFile: string | undefined;
  /** Whether docs/PERFORMANCE.md is to show this run. */
  readonly updateDocs: boolean;
}

/** Parses the arguments; undefined when they ask for something that is not there. */
export function parseCommandLine(args: readonly string[]): Command | undefined {
  const options = parseOptions(args);
  if (options === undefined) return undefined;
  const { quick = false, peers = false, verbose = false, only, rounds, json, svg } = options;
  const rows = ROWS.filter(({ name }) => only?.some((prefix) => name.startsWith(prefix)) ?? true);
  const base = quick ? QUICK : THOROUGH;
  const count = rounds === undefined ? base.rounds : Number(rounds);
  if (rows.length === 0 || !Number.isInteger(count) || count < 1 || count > 100) return undefined;
  return {
    rows,
    settings: { ...base, rounds: count },
    withPeers: peers,
    verbose,
    profileDirectory: options.profile,
    jsonFile: json,
    svgFile: svg,
    updateDocs: options['update-docs'] ?? false,
  };
}

/** The options as given; undefined when one is unknown. */
function parseOptions(args: readonly string[]) {
  const flag = { type: 'boolean' } as const;
  const text = { type: 'string' } as const;
  const options = {
    quick: flag,
    peers: flag,
    verbose: flag,
    'update-docs': flag,
    only: { ...text, multiple: true },
    rounds: text,
    json: text,
    profile: text,
    svg: text,
  } as const;
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch {
    return undefined;
  }
}

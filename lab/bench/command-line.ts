/** Parses the command line of the benchmark. */
import { misuse } from '../../scripts/token/command-error.ts';
import { parseOptions } from '../../scripts/token/options.ts';
import { type Row, ROWS } from './rows.ts';
import { QUICK, type Settings, THOROUGH } from './settings.ts';

/** A parsed command line. */
export interface Command {
  readonly rows: readonly Row[];
  readonly settings: Settings;
  readonly withPeers: boolean;
  readonly verbose: boolean;
  /** The folder for CPU profiles of this server, one for each row. */
  readonly profileDirectory: string | undefined;
  readonly jsonFile: string | undefined;
  readonly svgFile: string | undefined;
  /** A file that `--json` has written; its figures are read instead of measured. */
  readonly figuresFile: string | undefined;
  /** Whether to write the figures of this run into docs/PERFORMANCE.md. */
  readonly updateDocs: boolean;
}

/**
 * Parses the arguments.
 * @throws {CommandError} saying what is wrong
 */
export function parseCommandLine(args: readonly string[], help: string): Command {
  const { texts, lists, switches } = parseOptions(args, {
    subject: 'bench',
    help,
    texts: ['rounds', 'json', 'profile', 'svg', 'figures'],
    lists: ['only'],
    switches: ['quick', 'peers', 'verbose', 'update-docs'],
    most: 0,
  });
  const { rounds, json, profile, svg, figures } = texts;
  const rows = ROWS.filter(({ name }) => lists['only']?.some((prefix) => name.startsWith(prefix)) ?? true);
  if (rows.length === 0) throw misuse('--only takes the beginning of a row.', help);
  const base = switches.has('quick') ? QUICK : THOROUGH;
  const count = rounds === undefined ? base.rounds : Number(rounds);
  if (!Number.isInteger(count) || count < 1 || count > 100)
    throw misuse('--rounds takes a whole number from 1 to 100.', help);
  if (switches.has('quick') && switches.has('update-docs'))
    throw misuse('--update-docs takes no --quick: such figures are rough.', help);
  const measuring = ['rounds', 'profile'].filter((name) => texts[name] !== undefined);
  const needless = ['quick', 'peers', 'verbose'].filter((name) => switches.has(name)).concat(measuring);
  if (figures !== undefined && needless[0] !== undefined)
    throw misuse(`--figures reads what was measured: it takes no --${needless[0]}.`, help);
  return {
    rows,
    settings: { ...base, rounds: count },
    withPeers: switches.has('peers'),
    verbose: switches.has('verbose'),
    profileDirectory: profile,
    jsonFile: json,
    svgFile: svg,
    figuresFile: figures,
    updateDocs: switches.has('update-docs'),
  };
}

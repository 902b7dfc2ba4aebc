/**
 * `npm run fuzz`: sends the server requests made by a seeded grammar, right, odd and broken, and checks every answer
 * against what SECURITY.md promises. The same seed sends the same cases.
 */
import { misuse } from '../../scripts/token/command-error.ts';
import { parseOptions } from '../../scripts/token/options.ts';
import { helped, understood } from '../help.ts';
import { USAGE } from './main.usage.mjs';
import { type Failure, runCases, showBytes, type Summary } from './runner.ts';
import { MODES } from './modes.ts';
import { type FuzzTarget, type OpenMode, startTarget, takeTarget } from './target.ts';

/** A parsed command line. */
interface Command {
  readonly seed: number;
  readonly cases: readonly number[];
  /** Whether a single case was asked for, to be shown in full. */
  readonly isOne: boolean;
  readonly concurrency: number;
  /** How the started server authenticates its users, where not in the usual way. */
  readonly openMode: OpenMode | undefined;
  readonly server: { readonly url: string; readonly tokens: readonly [string, string] } | undefined;
}

/** How many progress reports have been made. */
let told = 0;

process.exitCode = await main();

/** Runs the command line; returns the exit code. */
async function main(): Promise<number> {
  if (helped(USAGE)) return 0;
  const command = understood(parseCommandLine);
  if (command === undefined) return 2;
  const { seed, cases, isOne, concurrency, openMode, server } = command;
  const fuzzed =
    server === undefined
      ? await startTarget({ ...(openMode && { openMode }) })
      : await takeTarget(server.url, server.tokens);
  console.log(
    `fuzz: ${cases.length} cases of seed ${seed}${server ? '; its log and process cannot be watched' : ''}`,
  );
  const summary = await runCases({
    target: fuzzed.target,
    seed,
    cases,
    concurrency,
    serverProblem: fuzzed.problem,
    onProgress: (done, failed) => void tellProgress(fuzzed, { done, failed, all: cases.length }),
    onFailure: (failure) => tellFailure(failure, command, fuzzed),
    ...(isOne && { onOutcome: ({ sent }) => tellSent(sent, fuzzed) }),
  });
  const ending = await fuzzed.stop();
  return tellSummary(summary, summary.serverProblem ?? ending) ? 0 : 1;
}

/**
 * Parses the command line.
 * @throws {CommandError} saying what is wrong
 */
function parseCommandLine(): Command {
  const { texts, lists } = parseOptions(process.argv.slice(2), {
    subject: 'fuzz',
    help: USAGE,
    texts: ['seed', 'count', 'case', 'concurrency', 'mode', 'url'],
    lists: ['token'],
    switches: [],
    most: 0,
  });
  const { mode, url } = texts;
  const wholeNumber = (name: string, fallback: number): number => {
    const value = Number(texts[name] ?? fallback);
    if (Number.isSafeInteger(value) && value >= 0) return value;
    throw misuse(`--${name} takes a whole number.`, USAGE);
  };
  const seed = wholeNumber('seed', Date.now() % 1_000_000);
  const count = wholeNumber('count', 20_000);
  const isOne = texts['case'] !== undefined;
  const cases = isOne ? [wholeNumber('case', 0)] : Array.from({ length: count }, (_, index) => index);
  const concurrency = wholeNumber('concurrency', 24);
  if (concurrency === 0) throw misuse('--concurrency takes a whole number from 1 up.', USAGE);
  const openMode = MODES.get(mode ?? '');
  if (mode !== undefined && openMode === undefined)
    throw misuse(`--mode takes one of: ${[...MODES.keys()].join(', ')}.`, USAGE);
  const known = { seed, cases, isOne, concurrency, openMode };
  if (url === undefined) return { ...known, server: undefined };
  const [first, second] = lists['token'] ?? [];
  if (!URL.canParse(url)) throw misuse('--url takes the address of a server.', USAGE);
  if (first === undefined || second === undefined)
    throw misuse('--url needs the tokens of two users: --token twice.', USAGE);
  return { ...known, server: { url, tokens: [first, second] } };
}

/** Prints one line of progress: on a terminal in place, elsewhere every tenth one. */
async function tellProgress(
  fuzzed: FuzzTarget,
  { done, failed, all }: { done: number; failed: number; all: number },
): Promise<void> {
  const line = `  ${done} of ${all}, ${failed} failed${await fuzzed.memory()}`;
  if (process.stdout.isTTY) process.stdout.write(`\r${line}   `);
  else if ((told += 1) % 10 === 0) console.log(line);
}

/** Prints a failed case, and the command that repeats it. */
function tellFailure(
  { caseNumber, kind, problem, alone, sent }: Failure,
  { seed, isOne }: Command,
  fuzzed: FuzzTarget,
): void {
  console.log(`\nFAILED case ${caseNumber} (${kind}): ${problem}`);
  console.log(
    `  ${alone ? 'fails alone, too' : 'passes alone: it takes company'}; repeat: npm run fuzz -- --seed ${seed} --case ${caseNumber}`,
  );
  if (!isOne) tellSent(sent, fuzzed);
}

/** Prints what a case has sent, one line for each write. */
function tellSent(sent: readonly Buffer[], { target }: FuzzTarget): void {
  console.log(showBytes(sent, target.secrets.tokens).replaceAll(/^/gm, '  sent '));
}

/** Prints the summary; returns whether all is well. */
function tellSummary(
  { passed, failures, kinds, seconds }: Summary,
  serverProblem: string | undefined,
): boolean {
  if (process.stdout.isTTY) process.stdout.write('\r');
  const list = [...kinds]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([kind, count]) => `${count} ${kind}`);
  console.log(
    `fuzz: ${list.join(', ')} in ${seconds.toFixed(1)} s (${Math.round((passed + failures.length) / seconds)}/s)`,
  );
  if (serverProblem !== undefined) console.log(`FAILED: ${serverProblem}`);
  console.log(`${passed} passed, ${failures.length + (serverProblem === undefined ? 0 : 1)} failed`);
  return failures.length === 0 && serverProblem === undefined;
}

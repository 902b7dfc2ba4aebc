/**
 * `npm run fuzz`: sends the server requests that a seeded grammar makes, right, odd and broken, and holds every answer
 * against what SECURITY.md promises. The same seed sends the same cases.
 */
import { parseArgs } from 'node:util';
import { helped } from '../help.ts';
import { USAGE } from './main.usage.mjs';
import { type Failure, runCases, showBytes, type Summary } from './runner.ts';
import { MODES } from './modes.ts';
import { type FuzzTarget, type OpenMode, startTarget, takeTarget } from './target.ts';

/** What the command line asks for. */
interface Command {
  readonly seed: number;
  readonly cases: readonly number[];
  /** Whether it is one case that somebody wants to see. */
  readonly isOne: boolean;
  readonly concurrency: number;
  /** How the server that is started lets its users in, where not as usual. */
  readonly openMode: OpenMode | undefined;
  readonly server: { readonly url: string; readonly tokens: readonly [string, string] } | undefined;
}

/** How many progress lines there have been. */
let told = 0;

process.exitCode = await main();

/** Runs what the command line asks for; returns the exit code. */
async function main(): Promise<number> {
  if (helped(USAGE)) return 0;
  const command = parseCommandLine();
  if (command === undefined) {
    console.error(USAGE);
    return 2;
  }
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

/** What the command line asks for; undefined when it cannot be understood. */
function parseCommandLine(): Command | undefined {
  try {
    const { values } = parseArgs({
      options: {
        seed: { type: 'string' },
        count: { type: 'string', default: '20000' },
        case: { type: 'string' },
        concurrency: { type: 'string', default: '24' },
        mode: { type: 'string' },
        url: { type: 'string' },
        token: { type: 'string', multiple: true, default: [] },
      },
    });
    const seed = Number(values.seed ?? Date.now() % 1_000_000);
    const count = Number(values.count);
    const only = values.case === undefined ? undefined : Number(values.case);
    const cases = only === undefined ? Array.from({ length: count }, (_, index) => index) : [only];
    const isOne = only !== undefined;
    const concurrency = Number(values.concurrency);
    const [first, second] = values.token;
    const isWhole = [seed, count, only ?? 0, concurrency].every(
      (value) => Number.isSafeInteger(value) && value >= 0,
    );
    if (!isWhole || concurrency === 0) return undefined;
    const openMode = MODES.get(values.mode ?? '');
    if (values.mode !== undefined && openMode === undefined) return undefined;
    const known = { seed, cases, isOne, concurrency, openMode };
    if (values.url === undefined) return { ...known, server: undefined };
    if (first === undefined || second === undefined || !URL.canParse(values.url)) return undefined;
    return { ...known, server: { url: values.url, tokens: [first, second] } };
  } catch {
    // An unknown option: the usage says what there is.
    return undefined;
  }
}

/** One line on how far it is: in place on a terminal, else every ten seconds. */
async function tellProgress(
  fuzzed: FuzzTarget,
  { done, failed, all }: { done: number; failed: number; all: number },
): Promise<void> {
  const line = `  ${done} of ${all}, ${failed} failed${await fuzzed.memory()}`;
  if (process.stdout.isTTY) process.stdout.write(`\r${line}   `);
  else if ((told += 1) % 10 === 0) console.log(line);
}

/** A failed case with what repeats it. */
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

/** What a case has sent, one line for each write. */
function tellSent(sent: readonly Buffer[], { target }: FuzzTarget): void {
  console.log(showBytes(sent, target.secrets.tokens).replaceAll(/^/gm, '  sent '));
}

/** The figures; returns whether all is well. */
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

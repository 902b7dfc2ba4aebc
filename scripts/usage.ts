/** `npm run usage`: reads from the server's log who called what, how long it took, and which logins were refused. */
import { printableJson } from '../src/printable.ts';
import { CommandError, EXIT, type ExitCode, misuse } from './token/command-error.ts';
import { readLog, sourcesOf } from './token/log-lines.ts';
import { parseMoment } from './token/moments.ts';
import { parseOptions } from './token/options.ts';
import { formatTable } from './token/table.ts';
import { isHelpWanted } from './help.mjs';
import { USAGE } from './usage.usage.mjs';
import { Tally, type Usage } from './usage/tally.ts';

process.exitCode = await main();

/** Runs the command line, and returns its exit code. */
async function main(): Promise<ExitCode> {
  // The reader of standard output, such as `head`, may have gone; that is no failure.
  process.stdout.on('error', () => undefined);
  try {
    const args = process.argv.slice(2);
    if (isHelpWanted(args)) console.log(USAGE);
    else await report(parseUsageLine(args, Date.now()));
    return EXIT.done;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    console.error(error.message);
    return error.exitCode;
  }
}

/** A parsed command line. */
interface UsageLine {
  readonly files: readonly string[];
  readonly sinceMs: number | undefined;
  readonly json: boolean;
}

/** Parses the arguments. */
function parseUsageLine(args: readonly string[], nowMs: number): UsageLine {
  const { texts, switches, positionals } = parseOptions(args, {
    subject: 'usage',
    help: USAGE,
    texts: ['since'],
    switches: ['json'],
  });
  if (positionals.length === 0 && process.stdin.isTTY)
    throw misuse(
      "usage reads the server's log: name its file, as in npm run usage -- server.log, or pipe it in.",
      USAGE,
    );
  const { since } = texts;
  const sinceMs = since === undefined ? undefined : parseMoment('--since', since, nowMs);
  return { files: positionals, sinceMs, json: switches.has('json') };
}

/** Reads the log and prints a summary. */
async function report({ files, sinceMs, json }: UsageLine): Promise<void> {
  const tally = new Tally(sinceMs);
  let read = 0;
  const others = await readLog(sourcesOf(files), (line) => {
    read += 1;
    tally.add(line);
  });
  const usage = tally.result();
  console.log(json ? printableJson(usage) : formatUsage(usage));
  if (read === 0 && others === 0)
    console.error(
      `Nothing was read: ${files.join(', ') || 'standard input'} is empty. Give it the server's log: npm run usage -- server.log`,
    );
  if (others > 0)
    console.error(
      `Lines that are not JSON objects were left out: ${others}. On a terminal, the server writes its log for people, not as JSON.`,
    );
}

/** Formats the calls and the refused logins as two tables. */
function formatUsage({ calls, refused }: Usage): string {
  const callRows = calls.map(({ userId, tool, calls: count, errors, p50Ms, p99Ms, first, last }) => [
    userId,
    tool,
    String(count),
    String(errors),
    String(p50Ms ?? '-'),
    String(p99Ms ?? '-'),
    first.slice(0, 10),
    last.slice(0, 10),
  ]);
  const refusedRows = refused.map(({ address, reason, count, users, first, last }) => [
    address,
    reason,
    String(count),
    users.join(','),
    first.slice(0, 10),
    last.slice(0, 10),
  ]);
  return [
    calls.length === 0
      ? 'No call.'
      : formatTable(['USER', 'TOOL', 'CALLS', 'ERRORS', 'P50 MS', 'P99 MS', 'FIRST', 'LAST'], callRows),
    refused.length === 0
      ? 'No refused login.'
      : formatTable(['ADDRESS', 'REFUSED BECAUSE', 'TIMES', 'TOKENS OF', 'FIRST', 'LAST'], refusedRows),
  ].join('\n\n');
}

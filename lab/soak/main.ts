/**
 * `npm run soak`: mixed users over every transport and revision who connect, leave, vanish, and read slowly or not at all, while the
 * token file is edited. Fails when an answer is lost or goes to somebody else, and when the server grows: its live heap (after
 * a garbage collection, triggered by SIGUSR2), its resident memory or its open handles (from /proc), each measured in quiet.
 */
import { fileURLToPath } from 'node:url';
import { misuse } from '../../scripts/token/command-error.ts';
import { parseOptions } from '../../scripts/token/options.ts';
import { helped, understood } from '../help.ts';
import { whyNoRedis } from '../redis-server.ts';
import { soakFleet } from './fleet/soak-fleet.ts';
import { USAGE } from './main.usage.mjs';
import { describeCounts, describePoint, runSoak } from './runner.ts';
import { startSoakServer } from './server.ts';

/** The benchmark's load, which replaces the mixed users. */
const FULL_SPEED = fileURLToPath(new URL('full-speed.js', import.meta.url));

process.exitCode = await main();

/** Runs the command line; returns the exit code. */
async function main(): Promise<number> {
  if (helped(USAGE)) return 0;
  const wish = understood(parseCommandLine);
  if (wish === undefined) return 2;
  const { minutes, instances, isFullSpeed } = wish;
  if (instances > 1) return soakTogether(wish);
  const rounds = Math.min(20, Math.max(3, Math.round(minutes * 2)));
  const { server, users } = await startSoakServer();
  console.log(`soak: ${rounds} rounds in ${minutes} minutes against process ${server.pid}`);
  const { counts, points, problems } = await runSoak({
    server,
    users,
    rounds,
    secondsPerRound: (minutes * 60) / rounds,
    ...(isFullSpeed && { loadScript: FULL_SPEED }),
    onProgress: tellProgress,
  });
  const ending = await server.stop();
  const all = [...problems, ...(ending === undefined ? [] : [ending])];
  if (process.stdout.isTTY) process.stdout.write('\n');
  console.log(`soak: ${describeCounts(counts)}`);
  console.log(
    `soak: in quiet, first ${points[1] && describePoint(points[1])}, last ${describePoint(points.at(-1) ?? { heapMb: 0, rssMb: 0, handles: 0 })}`,
  );
  for (const problem of all) console.log(`FAILED: ${problem}`);
  console.log(`${counts['calls'] ?? 0} passed, ${all.length} failed`);
  return all.length === 0 ? 0 : 1;
}

/** Soaks several processes as one server; returns the exit code. */
async function soakTogether({ instances, minutes, seed }: Wish): Promise<number> {
  const missing = whyNoRedis();
  if (missing !== undefined) {
    console.error(`soak: ${missing}`);
    return 2;
  }
  console.log(`soak: ${instances} processes for ${minutes} minutes, seed ${seed}`);
  const { counts, problems } = await soakFleet({
    instances,
    seconds: minutes * 60,
    seed,
    onProgress: tellProgress,
  });
  if (process.stdout.isTTY) process.stdout.write('\n');
  console.log(`soak: ${describeCounts(counts)}`);
  for (const problem of problems) console.log(`FAILED: ${problem}`);
  const kept = ['plain calls', 'SSE calls', 'streams answered'].map((what) => counts[what] ?? 0);
  console.log(`${kept.reduce((sum, count) => sum + count, 0)} passed, ${problems.length} failed`);
  return problems.length === 0 ? 0 : 1;
}

/** A parsed command line. */
interface Wish {
  readonly minutes: number;
  readonly instances: number;
  readonly seed: number;
  readonly isFullSpeed: boolean;
}

/**
 * Parses the command line.
 * @throws {CommandError} saying what is wrong
 */
function parseCommandLine(): Wish {
  const { texts, switches } = parseOptions(process.argv.slice(2), {
    subject: 'soak',
    help: USAGE,
    texts: ['minutes', 'instances', 'seed'],
    switches: ['full-speed'],
    most: 0,
  });
  const minutes = Number(texts['minutes'] ?? '5');
  const instances = Number(texts['instances'] ?? '1');
  const seed = Number(texts['seed'] ?? Date.now() % 1_000_000);
  if (!(minutes > 0 && minutes <= 10_000))
    throw misuse('--minutes takes a number from above 0 to 10000.', USAGE);
  if (!Number.isInteger(instances) || instances < 1 || instances > 20)
    throw misuse('--instances takes a whole number from 1 to 20.', USAGE);
  if (!Number.isInteger(seed)) throw misuse('--seed takes a whole number.', USAGE);
  const isFullSpeed = switches.has('full-speed');
  if (isFullSpeed && instances > 1) throw misuse('--full-speed is for one process.', USAGE);
  return { minutes, instances, seed, isFullSpeed };
}

/** Prints one line of progress; on a terminal it replaces the one before, elsewhere only the ends of rounds are printed. */
function tellProgress(line: string): void {
  if (process.stdout.isTTY)
    process.stdout.write(
      `\r  ${line.padEnd(process.stdout.columns - 3).slice(0, process.stdout.columns - 3)}`,
    );
  else if (line.includes('is over')) console.log(`  ${line}`);
}

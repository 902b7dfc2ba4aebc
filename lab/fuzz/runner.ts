/** Runs many cases at once, reports progress, and sums up. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Target } from './actor.ts';
import { type Outcome, runCase } from './cases.ts';

/** The options of a run. */
export interface RunOptions {
  readonly target: Target;
  readonly seed: number;
  /** The numbers of the cases. */
  readonly cases: readonly number[];
  readonly concurrency: number;
  /** Asked after each case: what is wrong with the server itself (ended, another process, an error in its log); undefined when nothing is. */
  readonly serverProblem: () => string | undefined;
  readonly onProgress?: (done: number, failed: number) => void;
  readonly onFailure?: (failure: Failure) => void;
  /** Called after every case, passed or failed. */
  readonly onOutcome?: (outcome: Outcome) => void;
}

/** A case that failed. */
export interface Failure extends Outcome {
  readonly problem: string;
  /** Whether it fails again when it runs alone. */
  readonly alone: boolean;
}

/** The result of a run. */
export interface Summary {
  readonly passed: number;
  readonly failures: readonly Failure[];
  /** The number of cases of each kind. */
  readonly kinds: ReadonlyMap<string, number>;
  /** What was wrong with the server itself; undefined when nothing was. */
  readonly serverProblem: string | undefined;
  readonly seconds: number;
}

/** A run stops after this many failures: the rest would show the same. */
const MAX_FAILURES = 25;

/** How often progress is reported. Milliseconds. */
const PROGRESS_MS = 1_000;

/** Runs the cases. */
export async function runCases(options: RunOptions): Promise<Summary> {
  const { target, seed, cases, concurrency, serverProblem, onProgress, onFailure, onOutcome } = options;
  const startedMs = performance.now();
  const failures: Failure[] = [];
  const kinds = new Map<string, number>();
  let [next, passed] = [0, 0];
  let problem: string | undefined;

  const work = async (): Promise<void> => {
    while (next < cases.length && failures.length < MAX_FAILURES && problem === undefined) {
      const caseNumber = cases[next] ?? 0;
      next += 1;
      const outcome = await runCase(target, seed, caseNumber);
      kinds.set(outcome.kind, (kinds.get(outcome.kind) ?? 0) + 1);
      onOutcome?.(outcome);
      problem ??= serverProblem();
      if (outcome.problem === undefined) passed += 1;
      else {
        const alone =
          problem === undefined && (await runCase(target, seed, caseNumber)).problem !== undefined;
        const failure = { ...outcome, problem: outcome.problem, alone };
        failures.push(failure);
        onFailure?.(failure);
      }
    }
  };
  const timer = setInterval(() => onProgress?.(passed + failures.length, failures.length), PROGRESS_MS);
  await Promise.all(Array.from({ length: concurrency }, work));
  clearInterval(timer);
  // The log comes through a pipe of its own, shortly after the answers.
  await sleep(100);
  problem ??= serverProblem();
  return { passed, failures, kinds, serverProblem: problem, seconds: (performance.now() - startedMs) / 1000 };
}

/** Shows what was sent, safely: escapes what is not printable, and names tokens. */
export function showBytes(
  sent: readonly Buffer[],
  tokens: Readonly<Record<string, string>>,
  maxChars = 4_000,
): string {
  return sent
    .map((bytes) => {
      let text = bytes.toString('latin1');
      for (const [owner, token] of Object.entries(tokens))
        text = text.replaceAll(token, `<token of ${owner}>`);
      const shown = JSON.stringify(text.slice(0, maxChars)).replaceAll(/[\x7f-\xff]/g, escapeByte);
      return text.length > maxChars ? `${shown} … ${text.length - maxChars} more` : shown;
    })
    .join('\n');
}

/** Writes a byte as an escape of a JavaScript string. */
function escapeByte(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

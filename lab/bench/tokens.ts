/** The tokens of the benchmark, which follow from a number, so that the load generator need not be sent each one. */
import { writeFile } from 'node:fs/promises';

/** The tokens of a job's requests, in turn: `count` of them, every `step`-th. */
export interface TokenRange {
  readonly count: number;
  readonly step: number;
  /** The one token itself, if it has no number. */
  readonly text?: string;
}

/** One token, verified with every request, as in most rows. */
export const ONE_TOKEN: TokenRange = { count: 1, step: 1 };

/** Makes the token with this number. */
export function tokenOf(index: number): string {
  return `tok_bench_${String(index).padStart(7, '0')}`;
}

/** A token that no server knows. */
export const UNKNOWN_TOKEN = 'tok_bench_unknown';

/** Writes a token file with `count` users, by their tokens; `marker` makes versions of the file differ. */
export async function writeTokenFile(file: string, count: number, marker = ''): Promise<void> {
  const lines = Array.from({ length: count }, (_, index) => {
    const entry = { userId: `user${index}`, name: `User ${index}${marker}` };
    return `${JSON.stringify(tokenOf(index))}:${JSON.stringify(entry)}`;
  });
  if (marker !== '') lines.push(`${JSON.stringify(markedToken(marker))}:{"userId":"marked"}`);
  await writeFile(file, `{${lines.join(',\n')}}`, { mode: 0o600 });
}

/** The token that only the version with this marker has. */
export function markedToken(marker: string): string {
  return `tok_bench_marked_${marker}`;
}

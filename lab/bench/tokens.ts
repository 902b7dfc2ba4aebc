/** The tokens of the benchmark: named by their number, so that the load generator need not be told each one. */
import { writeFile } from 'node:fs/promises';

/** The tokens that a job's requests carry, one after the other: `count` of them, every `step`-th. */
export interface TokenRange {
  readonly count: number;
  readonly step: number;
  /** The one token itself, where it has no number. */
  readonly text?: string;
}

/** What most rows use: one token, checked with every request. */
export const ONE_TOKEN: TokenRange = { count: 1, step: 1 };

/** The token with this number. */
export function tokenOf(index: number): string {
  return `tok_bench_${String(index).padStart(7, '0')}`;
}

/** A token that no server knows. */
export const UNKNOWN_TOKEN = 'tok_bench_unknown';

/** Writes a token file with `count` users. Their digests are as many bytes as real ones; `marker` makes versions differ. */
export async function writeTokenFile(file: string, count: number, marker = ''): Promise<void> {
  const lines = Array.from({ length: count }, (_, index) => {
    const entry = { userId: `user${index}`, name: `User ${index}${marker}` };
    return `${JSON.stringify(tokenOf(index))}:${JSON.stringify(entry)}`;
  });
  if (marker !== '') lines.push(`${JSON.stringify(markedToken(marker))}:{"userId":"marked"}`);
  await writeFile(file, `{${lines.join(',\n')}}`, { mode: 0o600 });
}

/** The token that only the file version with this marker has. */
export function markedToken(marker: string): string {
  return `tok_bench_marked_${marker}`;
}

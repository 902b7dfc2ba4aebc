/** When tokens were last used, as the server's log has it. */
import { readLog, sourcesOf, textOf, timeOf } from './log-lines.ts';

/** The day on which each token was last let in, by the token's id. */
export async function readLastUse(files: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const lastMs = new Map<string, number>();
  await readLog(sourcesOf(files), (line) => {
    const tokenId = textOf(line, 'tokenId');
    // A request that was refused says whose token it was, too.
    const isRefused = textOf(line, 'error') !== undefined;
    const timeMs = timeOf(line);
    if (tokenId === undefined || isRefused || Number.isNaN(timeMs)) return;
    lastMs.set(tokenId, Math.max(timeMs, lastMs.get(tokenId) ?? -Infinity));
  });
  return new Map([...lastMs].map(([id, ms]) => [id, new Date(ms).toISOString().slice(0, 10)]));
}

/** How tokens were used, as the server's log has it: when last, and through which clients their users have signed in. */
import { type LogLine, readLog, sourcesOf, textOf, timeOf } from './log-lines.ts';

/** What the log says of a token. */
export interface TokenUse {
  /** The day on which it was last let in. */
  readonly lastUse: string;
  /** The clients that were allowed on the sign-in page, the latest first. */
  readonly signedInThrough: readonly string[];
}

/** So many clients are told of one token. */
const MAX_CLIENTS = 5;

/** The uses of each token, by the token's id. */
export async function readTokenUses(files: readonly string[]): Promise<ReadonlyMap<string, TokenUse>> {
  const lastMs = new Map<string, number>();
  const clients = new Map<string, string[]>();
  await readLog(sourcesOf(files), (line) => {
    const tokenId = textOf(line, 'tokenId');
    // A request that was refused says whose token it was, too.
    const isRefused = textOf(line, 'error') !== undefined;
    const timeMs = timeOf(line);
    if (tokenId === undefined || isRefused || Number.isNaN(timeMs)) return;
    lastMs.set(tokenId, Math.max(timeMs, lastMs.get(tokenId) ?? -Infinity));
    if (textOf(line, 'msg') !== 'client allowed') return;
    const client = clientOf(line);
    const others = clients.get(tokenId)?.filter((known) => known !== client) ?? [];
    clients.set(tokenId, [client, ...others].slice(0, MAX_CLIENTS));
  });
  return new Map(
    [...lastMs].map(([id, ms]) => [
      id,
      { lastUse: new Date(ms).toISOString().slice(0, 10), signedInThrough: clients.get(id) ?? [] },
    ]),
  );
}

/** A client as its user saw it: the name that it gives itself, and who vouches for that. */
function clientOf(line: LogLine): string {
  const [name = 'a client without a name', host] = [textOf(line, 'client'), textOf(line, 'clientHost')];
  return `${name} (${host ?? 'not verified'})`;
}

/** Reads from the server's log how tokens were used: when last, and through which clients their users have signed in. */
import { type LogLine, readLog, sourcesOf, textOf, timeOf } from './log-lines.ts';

/** What the log says about the use of a token. */
export interface TokenUse {
  /** The day on which it was last let in. */
  readonly lastUse: string;
  /** The clients that its user has allowed on the sign-in page, the latest first. */
  readonly signedInThrough: readonly string[];
}

/** The most clients that are kept for one token. */
const MAX_CLIENTS = 5;

/** Reads the uses of each token, by token id. */
export async function readTokenUses(files: readonly string[]): Promise<ReadonlyMap<string, TokenUse>> {
  const lastMs = new Map<string, number>();
  const clients = new Map<string, string[]>();
  await readLog(sourcesOf(files), (line) => {
    const tokenId = textOf(line, 'tokenId');
    // The log line of a refused request names the token, too.
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

/** A client as its user saw it: the name that it gives itself, and the host that vouches for it. */
function clientOf(line: LogLine): string {
  const [name = 'a client without a name', host] = [textOf(line, 'client'), textOf(line, 'clientHost')];
  return `${name} (${host ?? 'not verified'})`;
}

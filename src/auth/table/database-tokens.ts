/** A verifier that follows the tokens of a database. It holds the whole set in memory, and keeps the last good one while the database is away. */
import type { Logger } from 'pino';
import { runInSlices } from '../../in-slices.ts';
import type { Database } from '../../storage/database.ts';
import { reasonOf, StatementError } from '../../storage/errors.ts';
import type { RightsChange, TokenVerifier } from '../verifier.ts';
import { startLooks } from '../tokens/looks.ts';
import { parseTokensInSteps } from '../tokens/parse-tokens.ts';
import { RevokedTokens } from '../tokens/revoked-tokens.ts';
import { TokenFileError } from '../tokens/token-file-error.ts';
import { compareTokensInSteps } from '../tokens/token-changes.ts';
import type { TokenEditor } from '../tokens/token-edit.ts';
import { TokenStoreError } from '../tokens/token-store-error.ts';
import { createTokenSet, createTokenSetInSteps, type TokenEntry } from '../tokens/token-set.ts';
import { judgeTokens, type WeakTokens } from '../tokens/weak-tokens.ts';
import {
  CHANNEL,
  editTokenTable,
  OTHER_TABLES,
  readTokens,
  readTokenTable,
  readVersion,
  withWords,
} from './token-table.ts';

/** What the verifier is made from. */
export interface DatabaseTokensOptions {
  readonly database: Database;
  readonly log: Logger;
  /** Entries that are in force besides those of the table. */
  readonly extraEntries?: readonly TokenEntry[];
  /** What is done about tokens that are no secret. Default: nothing. */
  readonly weakTokens?: WeakTokens;
  /** Makes another entry for this run, if the table is empty at the start; later, nobody would be shown its token. */
  readonly whenEmpty?: () => TokenEntry;
  /** Whether there may be no token, without a warning: users come from an identity provider. */
  readonly mayBeNone?: boolean;
  /** Milliseconds between two looks at the version of the table. */
  readonly pollMs?: number;
  readonly now?: () => number;
}

/**
 * The pauses between two looks at the version, without and with notices of the database. A change is in force everywhere within two seconds, even
 * when a dead connection brings no notice. Milliseconds.
 */
const [POLL_MS, POLL_WHILE_TOLD_MS] = [500, 1_500];

/** The warning of a server that lets nobody in. */
const NOBODY =
  'There is no token in the database, so nobody gets in. Make the first one with: npm run token -- create --user me --scopes admin';

/** The warning when all tokens are gone at once: the database may be another one now, which the operator may not have meant. */
const EMPTIED =
  'The database no longer holds any token, and the tokens that it held are refused. If nobody removed them on purpose, restore the database that held them: they then work again.';

/** What helps an admin whose change was written, but is not in force here. */
const MEND_IT =
  'Disable or remove the entry that it names, here or with "npm run token"; then everything that is written there takes effect.';
const UNREAD =
  'The database cannot be read at the moment. As soon as it can be, what is written there takes effect by itself: do not make the change again.';

/** The tokens of a database. */
export interface DatabaseTokens extends TokenVerifier, TokenEditor {
  lookUp: NonNullable<TokenVerifier['lookUp']>;
  /** Looks for a change now. Never rejects. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

/** Opens the tokens. A database that is away does not keep the server from starting. */
export async function openDatabaseTokens({
  database,
  log,
  extraEntries = [],
  weakTokens = 'allow',
  whenEmpty,
  mayBeNone = false,
  pollMs,
  now = Date.now,
}: DatabaseTokensOptions): Promise<DatabaseTokens> {
  let extra = extraEntries;
  let current = createTokenSet(extra, now);
  let version: number | undefined;
  /** Why the content of the table is not in force, for admins who change it; undefined when it is. */
  let problem: string | undefined;
  /** Whether the present content of the table is unknown here: it may have tokens that this server has not seen. */
  let isUnread = true;
  /** Whether the database was lost: the one that comes back, restored from a copy for instance, may have other tokens with the same version. */
  let mayBeAnother = false;
  let isStarting = true;
  let isEnding = false;
  const revoked = new RevokedTokens();
  const listeners: ((changes: readonly RightsChange[]) => void)[] = [];

  /** Reads the table if it may have changed, and puts its entries in force. */
  const takeOver = async (): Promise<void> => {
    const latest = await readVersion(database);
    if (latest === version && !mayBeAnother) return;
    // If the database is lost again in the meantime, this is set again, and the table is read once more.
    mayBeAnother = false;
    // An edit between the two reads has another version, so that the next look sees it.
    const entries = await runInSlices(parseTokensInSteps(await readTokenTable(database)));
    judgeTokens(entries, weakTokens, log);
    if (version === undefined && isStarting && entries.length === 0 && whenEmpty !== undefined)
      extra = [...extra, whenEmpty()];
    const next = await runInSlices(createTokenSetInSteps([...entries, ...extra], now));
    const { rights, added, removed, changed, removedEntries } = await runInSlices(
      compareTokensInSteps(current, next),
    );
    const isFirst = version === undefined;
    current = next;
    version = latest;
    revoked.note(removedEntries, now());
    log.info(
      { tokens: next.size, added: added.length, removed: removed.length, changed: changed.length },
      isFirst ? 'tokens loaded from the database' : 'tokens reloaded from the database',
    );
    if (!isFirst && entries.length === 0 && removed.length > 0)
      log.warn({ removed: removed.length }, EMPTIED);
    if ((isFirst || removed.length > 0) && next.size === 0 && !mayBeNone) log.warn(NOBODY);
    if (!isFirst && rights.length > 0) for (const listener of listeners) listener(rights);
  };
  const look = async (): Promise<void> => {
    try {
      await takeOver();
      [problem, isUnread] = [undefined, false];
    } catch (error) {
      if (isEnding) return;
      const isFault = error instanceof TokenFileError;
      isUnread = version === undefined || !isFault;
      mayBeAnother = true;
      const reason = isFault ? error.message : reasonOf(error);
      const meanwhile =
        version === undefined
          ? 'until they can be read, requests with one of them are answered with 503'
          : 'the last good ones stay in force';
      const found = isFault ? `The database has a fault: ${reason}. ${MEND_IT}` : UNREAD;
      // Only news is logged: another problem, or a fault that is found when the database is back.
      const fix = error instanceof StatementError ? OTHER_TABLES : undefined;
      if (found !== problem)
        log.error({ reason, fix }, `tokens cannot be read from the database; ${meanwhile}`);
      problem = found;
    }
  };

  /** Runs `work` on the table for an admin. A failure may show sooner than a look that the database was lost. */
  const use = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    try {
      return await withWords(work);
    } catch (error) {
      mayBeAnother ||= error instanceof TokenStoreError;
      throw error;
    }
  };

  await look();
  isStarting = false;
  // A notice during a look may be of a change that this look has not seen: another look follows.
  const stopListening = database.listen(CHANNEL, () => void looks.reload());
  const looks = startLooks({
    look,
    pollMs: pollMs ?? (stopListening === undefined ? POLL_MS : POLL_WHILE_TOLD_MS),
  });

  return {
    verify(token) {
      const verification = current.verify(token);
      if (verification.ok || verification.reason !== 'unknown') return verification;
      const explained = revoked.explain(token, verification);
      // Clients throw a token away on a 401. While the table cannot be read, they are not told that a token is unknown.
      return isUnread && !explained.ok && explained.reason === 'unknown'
        ? { ok: false, reason: 'unavailable' }
        : explained;
    },
    lookUp: (digest) =>
      current.lookUp(digest) ?? revoked.lookUp(digest) ?? (isUnread ? 'unavailable' : undefined),
    countTokens: () => current.size,
    isCurrent: (grant) => current.isCurrent(grant),
    hasValidToken: (userId) => current.hasValidToken(userId),
    onRightsChange: (listener) => void listeners.push(listener),
    isReady: () => version !== undefined,
    isFollowing: () => problem === undefined,
    read: async () => use(async () => readTokens(database)),
    async edit(plan) {
      const result = await use(async () => editTokenTable(database, plan));
      await looks.reload();
      return { result, problem };
    },
    reload: looks.reload,
    async close() {
      isEnding = true;
      await stopListening?.();
      const stopped = looks.stop();
      // A look that waits for a database which hangs ends when the database is closed.
      await database.close();
      await stopped;
    },
  };
}

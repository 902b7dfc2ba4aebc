/** Loads the tokens from a file, watches it, and keeps the last good set in force. */
import { type BigIntStats, existsSync } from 'node:fs';
import type { Logger } from 'pino';
import { runInSlices } from '../../in-slices.ts';
import { describeReadFailure, type FileVersion, hasChanged, readVersion } from './file-version.ts';
import { type LoadOptions, loadTokens } from './load-tokens.ts';
import { startLooks } from './looks.ts';
import { parseTokensInSteps } from './parse-tokens.ts';
import { RevokedTokens } from './revoked-tokens.ts';
import { judgeTokens } from './weak-tokens.ts';
import { compareTokensInSteps, type TokenChanges } from './token-changes.ts';
import { createTokenSet, createTokenSetInSteps, type TokenSet } from './token-set.ts';
import type { RightsChange, TokenVerifier } from '../verifier.ts';

/** The file of the tokens, and how often it is checked for changes. */
export interface TokenFileOptions extends LoadOptions {
  readonly path: string;
  readonly mayBeAbsent?: boolean;
  /** Milliseconds between two looks at the file. */
  readonly pollMs?: number;
}

/** A verifier that follows the changes of its file. */
export interface TokenFile extends TokenVerifier {
  lookUp: TokenSet['lookUp'];
  /**
   * Reads the file again now, even if it looks unchanged, and returns the problem if it cannot be used. Never rejects: a broken version is logged,
   * and the last good one stays in force.
   */
  reload(): Promise<string | undefined>;
  /** Whether a version of the file has been read. Its tokens are in force then, even if the file is gone by now. */
  hasRead(): boolean;
  /** Stops watching. */
  close(): void;
}

/**
 * Loads a token file and follows its changes: edits in place, renames over it, a symbolic link that is swapped.
 * @throws {TokenFileError} when the first version cannot be used
 */
export async function openTokenFile({
  path: filePath,
  log,
  extraEntries = [],
  mayBeAbsent = false,
  weakTokens = 'allow',
  mayBeNone = false,
  pollMs = 500,
  now = Date.now,
}: TokenFileOptions): Promise<TokenFile> {
  let version = mayBeAbsent && !existsSync(filePath) ? undefined : await readVersion(filePath, now);
  let current = createTokenSet(extraEntries, now);
  if (version !== undefined) {
    current = loadTokens(version.text, { log, extraEntries, weakTokens, mayBeNone, now });
    warnWhenReadableByOthers(filePath, version.stats, log);
    log.info({ tokens: current.size }, 'token file loaded');
  }
  const revoked = new RevokedTokens();
  const listeners: ((changes: readonly RightsChange[]) => void)[] = [];

  /** Puts another set in force, logs the differences, and tells the listeners of changed rights. */
  const replace = async (next: TokenSet, atMs: number): Promise<void> => {
    const { rights, removedEntries, ...changes } = await runInSlices(compareTokensInSteps(current, next));
    current = next;
    revoked.note(removedEntries, atMs);
    log.info({ tokens: next.size, ...summarize(changes) }, 'token file reloaded');
    if (rights.length > 0) for (const listener of listeners) listener(rights);
  };

  /** The latest version and its problem, if it could not be used; `version` is undefined when the file could not even be read. */
  let broken: { readonly problem: string; readonly version: FileVersion | undefined } | undefined;
  /** Takes over the file's present content if it is usable and differs from what is in force. */
  const readAgain = async (): Promise<void> => {
    let read: FileVersion | undefined;
    try {
      read = await readVersion(filePath, now, broken?.version ?? version);
      const isNew = read.hash !== version?.hash || broken !== undefined;
      // Unlike at the start, an empty set is taken over: whoever removes the last token means it.
      if (isNew) {
        // In slices: parsing a large file at once would make every request wait for it.
        const entries = await runInSlices(parseTokensInSteps(read.text));
        judgeTokens(entries, weakTokens, log);
        const next = await runInSlices(createTokenSetInSteps([...entries, ...extraEntries], now));
        await replace(next, read.readAtMs);
      }
      if (isNew) warnWhenReadableByOthers(filePath, read.stats, log);
      version = read;
      broken = undefined;
    } catch (error) {
      const problem = describeReadFailure(error);
      // Another version is another attempt to mend it, even if it fails in the same words.
      if (problem !== broken?.problem || read?.hash !== broken.version?.hash)
        log.error({ problem }, 'token file cannot be used; the last good tokens stay in force');
      broken = { problem, version: read };
    }
  };

  // Polling the path instead of watching the inode: a watch loses the file when an editor renames a new one over it.
  const look = async (): Promise<void> => {
    if (version === undefined && !existsSync(filePath)) return;
    const seen = broken === undefined ? version : broken.version;
    if (seen === undefined || (await hasChanged(filePath, seen))) await readAgain();
  };
  const looks = startLooks({ look, readAgain, pollMs });
  return {
    verify(token) {
      const verification = current.verify(token);
      return verification.ok || verification.reason !== 'unknown'
        ? verification
        : revoked.explain(token, verification);
    },
    lookUp: (digest) => current.lookUp(digest) ?? revoked.lookUp(digest),
    countTokens: () => current.size,
    isCurrent: (grant) => current.isCurrent(grant),
    hasValidToken: (userId) => current.hasValidToken(userId),
    onRightsChange: (listener) => void listeners.push(listener),
    async reload() {
      await looks.reload();
      return broken?.problem;
    },
    hasRead: () => version !== undefined,
    close: () => void looks.stop(),
  };
}

/** The most token ids that a log line lists. When there are more, it lists none. */
const MAX_LOGGED_IDS = 20;

/** The fields of the log line about a change: counts, and the ids if there are few. */
function summarize({
  added,
  removed,
  changed,
}: Omit<TokenChanges, 'rights' | 'removedEntries'>): Record<string, unknown> {
  const ids = added.length + removed.length + changed.length <= MAX_LOGGED_IDS;
  return {
    added: added.length,
    removed: removed.length,
    changed: changed.length,
    ...(ids && { addedIds: added, removedIds: removed, changedIds: changed }),
  };
}

/** Warns when other users of the machine can read the file, and names the command that changes that. */
function warnWhenReadableByOthers(filePath: string, { mode, uid }: BigIntStats, log: Logger): void {
  // If the file belongs to another user, this server may have its access through the group: that one may read it then.
  const isOwn = Number(uid) === process.geteuid?.();
  if (process.platform === 'win32' || (mode & (isOwn ? 0o077n : 0o027n)) === 0n) return;
  const target = /^[\w./-]+$/.test(filePath) ? filePath : `'${filePath.replaceAll("'", "'\\''")}'`;
  const fix = `chmod ${isOwn ? '600' : '640'} ${target}`;
  log.warn({ fix }, 'token file can be read by other users of this machine');
}

/** `rotate`: makes a successor for a token, which goes on working for a while. */
import { digestToken, tokenIdOf } from '../../src/auth/digest.ts';
import { successorOf } from '../../src/auth/tokens/successor.ts';
import type { TokenEntry } from '../../src/auth/tokens/token-set.ts';
import type { Command } from './command.ts';
import { formatMoment, mintToken } from '../../src/auth/tokens/new-token.ts';
import { CommandError, EXIT } from './command-error.ts';
import { findEntry } from './entries.ts';
import { parseExpiry, parseLength } from './moments.ts';
import { showNewToken } from './show-new-token.ts';
import { warnOfUnknownScopes } from './known-scopes.ts';

/** Adds the successor and sets the end of the old token, in one edit of the store. */
export const rotate: Command = {
  async run(context) {
    const { line, now, store } = context;
    const { argument: id } = line;
    if (id === undefined)
      throw new CommandError(EXIT.usage, 'rotate needs the id of a token; list shows them.');
    const nowMs = now();
    const { overlap, expires } = line.values;
    const overlapMs = parseLength('--overlap', overlap ?? '24h');
    const expiresAtMs = expires === undefined ? undefined : parseExpiry(expires, nowMs);
    // Reading the address refuses a wrong --url before anything is written.
    void context.address;

    const token = mintToken();
    const digest = digestToken(token);
    const edited = await store.edit(
      ({ entries }) => {
        const old = findEntry(entries, id);
        requireRotatable(old);
        const fields = successorOf(old, { nowMs, endMs: expiresAtMs ?? sameLifetime(old, nowMs) });
        // A rotation never makes the old token live longer.
        const until = formatMoment(Math.min(old.expiresAtMs ?? Infinity, nowMs + overlapMs));
        const metadata = { replacedBy: tokenIdOf(digest) };
        return {
          edits: {
            change: new Map([[old.digest, { expiresAt: until, metadata }]]),
            add: [{ digest, fields }],
          },
          result: { fields, replaces: { id: tokenIdOf(old.digest), until } },
        };
      },
      { create: false },
    );
    await warnOfUnknownScopes(context, edited.result.fields.scopes ?? []);
    showNewToken(context, { token, digest, ...edited.result }, edited);
  },
};

/** Refuses a token that must not get a successor. */
function requireRotatable({ digest, disabled, user }: TokenEntry): void {
  const id = tokenIdOf(digest);
  if (disabled)
    throw new CommandError(
      EXIT.noSuchToken,
      `${id} is disabled; create a token instead, if the user may have one.`,
    );
  const successor = user.metadata['replacedBy'];
  if (typeof successor === 'string' && /^[0-9a-f]{8}$/.test(successor))
    throw new CommandError(
      EXIT.noSuchToken,
      `${id} has already been replaced by ${successor}; rotate that one.`,
    );
}

/**
 * The end of a token that lasts as long as the old one was made for; the old end where its creation time is not known.
 * @throws {CommandError} when that end has passed
 */
function sameLifetime({ user, expiresAtMs: oldEndMs }: TokenEntry, nowMs: number): number | undefined {
  if (oldEndMs === undefined) return undefined;
  const createdMs = Date.parse(String(user.metadata['created']));
  if (createdMs < oldEndMs) return nowMs + oldEndMs - createdMs;
  if (oldEndMs > nowMs) return oldEndMs;
  throw new CommandError(EXIT.usage, 'The old token has expired; set the end of the new one with --expires.');
}

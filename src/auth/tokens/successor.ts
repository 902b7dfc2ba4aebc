/** The entry of a token that replaces another one, for the command and for the admin page. */
import { formatMoment } from './new-token.ts';
import type { EntryFields } from './token-edit.ts';
import type { TokenEntry } from './token-set.ts';

/** The fields of the old entry with new dates. Without `endMs`, the new token is valid until it is revoked. Milliseconds since the epoch, both. */
export function successorOf(
  { user, notBeforeMs, signInsSinceMs, limit }: TokenEntry,
  { nowMs, endMs }: { readonly nowMs: number; readonly endMs: number | undefined },
): EntryFields {
  return {
    userId: user.userId,
    name: user.name === user.userId ? undefined : user.name,
    scopes: user.scopes,
    notBefore: notBeforeMs !== undefined && notBeforeMs > nowMs ? formatMoment(notBeforeMs) : undefined,
    expiresAt: endMs === undefined ? undefined : formatMoment(endMs),
    signInsSince: signInsSinceMs === undefined ? undefined : new Date(signInsSinceMs).toISOString(),
    limit,
    metadata: { ...user.metadata, created: formatMoment(nowMs) },
  };
}

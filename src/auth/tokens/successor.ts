/** The entry of a token that takes another one's place: by the command and on the page for admins alike. */
import { formatMoment } from './new-token.ts';
import type { EntryFields } from './token-edit.ts';
import type { TokenEntry } from './token-set.ts';

/** What the old one had, but for its dates. Without `endMs` it lasts until it is revoked; milliseconds since the epoch, both. */
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

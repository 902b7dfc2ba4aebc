/** Digests of tokens. A token is known by its SHA-256, so that no usable secret stays in memory or reaches a log. */
import { hash } from 'node:crypto';

/** SHA-256 of a token's UTF-8 bytes, as 64 lower-case hex digits. */
export function digestToken(token: string): string {
  return hash('sha256', token, 'hex');
}

/** The id of a token in logs and tables: the first 8 hex digits of its digest. */
export function tokenIdOf(digest: string): string {
  return digest.slice(0, 8);
}

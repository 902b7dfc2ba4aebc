/** Makes tokens. */
import { randomBytes } from 'node:crypto';

/** A token of 256 random bits; the prefix is for secret scanners. */
export function mintToken(): string {
  return `mcp_${randomBytes(32).toString('base64url')}`;
}

/** A moment as it stands in the token file: to the second, UTC. */
export function formatMoment(moment: number): string {
  return new Date(moment).toISOString().replace(/\.\d+Z$/, 'Z');
}

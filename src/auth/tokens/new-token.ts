/** Makes tokens. */
import { randomBytes } from 'node:crypto';

/** A token of 256 random bits; the prefix is for secret scanners. */
export function mintToken(): string {
  return `mcp_${randomBytes(32).toString('base64url')}`;
}

/** A moment, in milliseconds since the epoch, as a token file has it: in UTC, to the second. */
export function formatMoment(moment: number): string {
  return new Date(moment).toISOString().replace(/\.\d+Z$/, 'Z');
}

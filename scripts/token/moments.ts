/** Parses lengths of time and dates as people write them on a command line. */
import { dateOf, LATEST_MS, lengthOf, momentToCome } from '../../src/auth/tokens/moments.ts';
import { CommandError, EXIT } from './command-error.ts';

/**
 * The moment that `--expires` gives: a length of time from now, such as `90d`, or a date. Milliseconds since the epoch.
 * @throws {CommandError} when it is neither, or lies in the past
 */
export function parseExpiry(text: string, nowMs: number): number {
  const moment = momentToCome(text, nowMs);
  if (moment === undefined)
    throw new CommandError(
      EXIT.usage,
      '--expires must be a length of time such as 90d or 12h, or a date such as 2027-06-30 or 2027-06-30T12:00:00Z.',
    );
  if (moment <= nowMs) throw new CommandError(EXIT.usage, '--expires is in the past.');
  return moment;
}

/**
 * The moment that an option gives: a length of time ago, such as `7d`, or a date. Milliseconds since the epoch.
 * @throws {CommandError} when it is neither
 */
export function parseMoment(option: string, text: string, nowMs: number): number {
  const lengthMs = lengthOf(text);
  const moment = lengthMs === undefined ? dateOf(text) : nowMs - lengthMs;
  if (moment !== undefined) return moment;
  throw new CommandError(
    EXIT.usage,
    `${option} must be a length of time such as 7d or 12h, or a date such as 2027-06-30.`,
  );
}

/**
 * The length of time that an option gives, in milliseconds; `0` is allowed.
 * @throws {CommandError} when it is no length of time, or too long
 */
export function parseLength(option: string, text: string): number {
  const durationMs = text === '0' ? 0 : lengthOf(text);
  if (durationMs === undefined || durationMs > LATEST_MS)
    throw new CommandError(EXIT.usage, `${option} must be a length of time such as 24h, 7d or 0.`);
  return durationMs;
}

/** Lengths of time and dates, as people write them on a command line. */
import { z } from 'zod';
import { CommandError, EXIT } from './command-error.ts';

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const DATE = z.union([z.iso.datetime({ offset: true }), z.iso.date()]);
/** The last moment that ISO 8601 writes with four digits for the year. */
const LATEST_MS = Date.parse('9999-12-31T23:59:59Z');

/**
 * The moment that `--expires` names: a length of time from now, such as `90d`, or a date.
 * @throws {CommandError} when it is neither, or lies in the past
 */
export function parseExpiry(text: string, nowMs: number): number {
  const durationMs = durationOf(text);
  const moment =
    durationMs === undefined && DATE.safeParse(text).success ? Date.parse(text) : nowMs + (durationMs ?? NaN);
  if (!(moment <= LATEST_MS))
    throw new CommandError(
      EXIT.usage,
      '--expires must be a length of time such as 90d or 12h, or a date such as 2027-06-30 or 2027-06-30T12:00:00Z.',
    );
  if (moment <= nowMs) throw new CommandError(EXIT.usage, '--expires lies in the past.');
  return moment;
}

/**
 * The moment that an option names: a length of time ago, such as `7d`, or a date.
 * @throws {CommandError} when it is neither
 */
export function parseMoment(option: string, text: string, nowMs: number): number {
  const durationMs = durationOf(text);
  if (durationMs !== undefined) return nowMs - durationMs;
  if (DATE.safeParse(text).success) return Date.parse(text);
  throw new CommandError(
    EXIT.usage,
    `${option} must be a length of time such as 7d or 12h, or a date such as 2027-06-30.`,
  );
}

/**
 * The length of time that an option names, in milliseconds; `0` for none.
 * @throws {CommandError} when it is none
 */
export function parseLength(option: string, text: string): number {
  const durationMs = text === '0' ? 0 : durationOf(text);
  if (durationMs === undefined || durationMs > LATEST_MS)
    throw new CommandError(EXIT.usage, `${option} must be a length of time such as 24h, 7d or 0.`);
  return durationMs;
}

/** The milliseconds of `90d` and the like. */
function durationOf(text: string): number | undefined {
  const [, count, unit] = /^(\d{1,7})([smhdw])$/.exec(text) ?? [];
  const unitMs = UNIT_MS[unit ?? ''];
  return unitMs === undefined ? undefined : Number(count) * unitMs;
}

/** Reads lengths of time and dates as people write them for the end of a token. */
import { z } from 'zod';

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const DATE = z.union([z.iso.datetime({ offset: true }), z.iso.date()]);

/** The last moment that ISO 8601 writes with four digits for the year. */
export const LATEST_MS = Date.parse('9999-12-31T23:59:59Z');

/**
 * The moment that a text names: a length of time from now, such as `90d`, or a date. Milliseconds since the epoch; undefined for any other text, or
 * when it is later than {@link LATEST_MS}.
 */
export function momentToCome(text: string, nowMs: number): number | undefined {
  const lengthMs = lengthOf(text);
  const moment = lengthMs === undefined ? dateOf(text) : nowMs + lengthMs;
  return moment !== undefined && moment <= LATEST_MS ? moment : undefined;
}

/**
 * The moment of a date, or of a date and time with its offset: others mean another time on each machine. Milliseconds since the epoch; undefined for
 * any other text.
 */
export function dateOf(text: string): number | undefined {
  return DATE.safeParse(text).success ? Date.parse(text) : undefined;
}

/** The length of time that a text such as `90d` names. Milliseconds; undefined for any other text. */
export function lengthOf(text: string): number | undefined {
  const [, count, unit] = /^(\d{1,7})([smhdw])$/.exec(text) ?? [];
  const unitMs = UNIT_MS[unit ?? ''];
  return unitMs === undefined ? undefined : Number(count) * unitMs;
}

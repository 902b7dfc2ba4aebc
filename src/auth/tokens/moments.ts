/** Lengths of time and dates, as people write them for the end of a token. */
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

/** The moment that lies a length of time such as `90d` from now, or that a date names; undefined when a text is neither, or it is too far. */
export function momentToCome(text: string, nowMs: number): number | undefined {
  const lengthMs = lengthOf(text);
  const moment = lengthMs === undefined ? dateOf(text) : nowMs + lengthMs;
  return moment !== undefined && moment <= LATEST_MS ? moment : undefined;
}

/** The moment of a date, with a time and its offset or without; others are read otherwise on each machine. */
export function dateOf(text: string): number | undefined {
  return DATE.safeParse(text).success ? Date.parse(text) : undefined;
}

/** The milliseconds of `90d` and the like. */
export function lengthOf(text: string): number | undefined {
  const [, count, unit] = /^(\d{1,7})([smhdw])$/.exec(text) ?? [];
  const unitMs = UNIT_MS[unit ?? ''];
  return unitMs === undefined ? undefined : Number(count) * unitMs;
}

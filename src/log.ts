/** The log: pino, JSON lines on stderr (stdout belongs to the stdio protocol), pretty on a terminal. */
import { createRequire } from 'node:module';
import { type Logger, pino } from 'pino';
import type PinoPretty from 'pino-pretty';
import { openLogDestination } from './log-destination.ts';
import { escapeUnprintable, withoutUnprintable } from './printable.ts';

/** The levels that LOG_LEVEL may name. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The names of fields that are never written, even if they are logged by mistake. */
const SECRET_FIELDS = [
  'token',
  'authorization',
  'cookie',
  'x-api-key',
  'x-auth-token',
  'headers',
  'sessionId',
  'arguments',
];

/** Makes the log of this process. */
export function createLog(level: LogLevel): Logger {
  // Lines hold names of users and what clients call themselves, and are read on terminals sooner or later: so they are made printable.
  const format = process.stderr.isTTY ? createPrettyFormat() : escapeUnprintable;
  const stream = openLogDestination({ describeDropped, format });
  return pino(
    {
      level,
      base: null,
      timestamp: createTimestamp(),
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: SECRET_FIELDS.flatMap((name) => [`["${name}"]`, `*["${name}"]`]),
        censor: '[redacted]',
      },
    },
    stream,
  );
}

/** Makes the function that gives pino the time of a line. It formats the time once for all lines of one millisecond: under load there are many. */
function createTimestamp(): () => string {
  let lastMs = Number.NaN;
  let words = '';
  return () => {
    const nowMs = Date.now();
    if (nowMs !== lastMs) words = `,"time":"${new Date(nowMs).toISOString()}"`;
    lastMs = nowMs;
    return words;
  };
}

/** The line that tells how many others were dropped. */
function describeDropped(dropped: number): string {
  const line = {
    level: 'warn',
    time: new Date().toISOString(),
    dropped,
    msg: 'log lines dropped: nobody read them, or the disk was full',
  };
  return `${JSON.stringify(line)}\n`;
}

/** Makes the format for people. The package is loaded only if there is a terminal: no other start needs to wait for it. */
function createPrettyFormat(): (lines: string) => string {
  // oxlint-disable-next-line no-unsafe-type-assertion -- what a require returns has no type
  const { prettyFactory } = createRequire(import.meta.url)('pino-pretty') as typeof PinoPretty;
  const format = prettyFactory({ ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss' });
  return (lines) => lines.replaceAll(LINE, (line) => format(withoutUnprintable(line)));
}

/** A line with its line feed. */
const LINE = /[^\n]*\n/g;

/**
 * Makes the log for lines that are written for each request and hold only plain values: secrets are redacted at the top level of a line only. Looking
 * into everything takes five times as long as the rest of the line.
 */
export function createLineLog(log: Logger): Logger {
  return log.child(
    {},
    { redact: { paths: SECRET_FIELDS.map((name) => `["${name}"]`), censor: '[redacted]' } },
  );
}

/** What a log line shows of a session id: enough to match lines, too little to use. */
export function shortId(sessionId: string): string {
  return sessionId.slice(0, 8);
}

/** What a log line shows of a path. Segments that may be a token or a session id, which a client put there by mistake, are hidden. */
export function shownPath(path: string): string {
  return path
    .replaceAll(LONG_SEGMENT, (segment) => (WORD.test(segment) ? segment : '[hidden]'))
    .slice(0, 200);
}

/** What a log line shows of a name that a client gave: its own, or that of a host or an origin. Words that may be a secret are hidden. */
export function shownName(name: string): string {
  const words = name.slice(0, MAX_NAME_CHARS).split(' ');
  return words.map((word) => (NAME.test(word) ? word : '[hidden]')).join(' ');
}

const MAX_NAME_CHARS = 100;

/** A word that is shown: a name with or without a version, a version, or a host with or without scheme and port. A host has a dot, or is short. */
const NAME =
  /^([A-Za-z][A-Za-z._-]*(\/v?\d[\d.]{0,15})?|v?\d[\d.]{0,15}|([a-z-]+:\/\/)?([\w-]{1,15}|([\w-]+\.)+[\w-]+|\[[\da-f:.]+\])(:\d{1,5})?)$/i;

const LONG_SEGMENT = /[^/]{12,}/g;
const WORD = /^[a-z.-]+$/;

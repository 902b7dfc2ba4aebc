/** Where the lines of the log go: standard error, which is never waited for. A stuck reader or a full disk only costs lines, which are counted. */
import { constants, fstatSync, openSync, writeSync } from 'node:fs';

/** How much may wait for a reader that has stopped, or a disk that is full; further lines are dropped. Bytes, as far as lines are ASCII. */
const MAX_WAITING = 4 * 1024 * 1024;

/** At this length, lines are written at once instead of after the turn of the event loop. Bytes, as far as lines are ASCII. */
const FLUSH_AT = 64 * 1024;

/** The pause before the next try after a reader or a disk had no room. Milliseconds. */
const RETRY_MS = 25;

/** How long a process that ends waits for a reader. Milliseconds. */
const LAST_WAIT_MS = 1_000;

/** How lines are treated. */
export interface LogDestinationOptions {
  /** Formats lines of JSON, each with its line feed, before they are written. It gets all of them at once, since a call for each would cost more. */
  readonly format: (lines: string) => string;
  /** Makes the line that tells how many were dropped. */
  readonly describeDropped: (dropped: number) => string;
}

/** What pino writes to. */
export interface LogDestination {
  /** Takes a line. */
  write(line: string): void;
}

/**
 * Opens standard error for the log. Lines are gathered until the event loop comes round: one system call writes as many of them as there is room for.
 * What is left when the process exits by its own will is written then.
 */
export function openLogDestination(options: LogDestinationOptions): LogDestination {
  const descriptor = openWithoutWaiting();
  const queue = new LineQueue((bytes) => writeSync(descriptor, bytes), options);
  process.on('exit', () => queue.writeLast());
  return queue;
}

/** The queue of lines that have not been written. */
class LineQueue implements LogDestination {
  readonly #put: (bytes: Uint8Array) => number;
  readonly #options: LogDestinationOptions;
  /** Lines that have not been formatted for a write. */
  #lines = '';
  /** The bytes of formatted lines that are still to be written. */
  #rest: Uint8Array = NOTHING;
  #dropped = 0;
  /** Whether a flush is scheduled, by setImmediate() or by a timer. */
  #isScheduled = false;
  #isReaderGone = false;

  constructor(put: (bytes: Uint8Array) => number, options: LogDestinationOptions) {
    this.#put = put;
    this.#options = options;
  }

  /** Takes a line, or counts it as dropped. */
  write(line: string): void {
    if (this.#isReaderGone) return;
    if (this.#lines.length + this.#rest.length > MAX_WAITING) {
      this.#dropped += 1;
      return;
    }
    this.#lines += line;
    if (this.#isScheduled && this.#lines.length < FLUSH_AT) return;
    if (this.#rest.length === 0 && this.#lines.length >= FLUSH_AT) this.#flush();
    else if (!this.#isScheduled) this.#schedule((flush) => setImmediate(flush));
  }

  /** Writes what it can without the event loop, before the process ends. */
  writeLast(): void {
    const endMs = performance.now() + LAST_WAIT_MS;
    while (!this.#flushOnce() && performance.now() < endMs) Atomics.wait(CLOCK, 0, 0, RETRY_MS);
  }

  /** Writes what there is room for, and schedules another try for the rest. */
  #flush(): void {
    if (!this.#flushOnce()) this.#schedule((flush) => setTimeout(flush, RETRY_MS).unref());
  }

  /** Schedules a flush, unless one is scheduled. */
  #schedule(start: (flush: () => void) => void): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    start(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  /** Writes what there is room for. Returns whether nothing is left to be written. */
  #flushOnce(): boolean {
    try {
      while (this.#takeNext()) this.#rest = this.#rest.subarray(this.#put(this.#rest));
      return true;
    } catch (error) {
      return this.#isOver(error);
    }
  }

  /** Puts what is to be written next into `#rest`. Returns whether there is something. */
  #takeNext(): boolean {
    if (this.#rest.length > 0) return true;
    let text = this.#lines;
    this.#lines = '';
    if (this.#dropped > 0) text += this.#options.describeDropped(this.#dropped);
    this.#dropped = 0;
    this.#rest = text === '' ? NOTHING : Buffer.from(this.#options.format(text));
    return this.#rest.length > 0;
  }

  /** Handles a write that failed, which must not end the server. Returns whether nothing is left to be written. */
  #isOver(error: unknown): boolean {
    // A reader that has no room will have some, and so may a full disk: the next write goes on where this one was cut, even within a line.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPIPE')) return false;
    // A pipe that has lost its reader gets no other.
    this.#isReaderGone = true;
    this.#rest = NOTHING;
    this.#lines = '';
    return true;
  }
}

const NOTHING = new Uint8Array(0);

/** A value that never changes: waiting for it blocks the thread for a while. */
const CLOCK = new Int32Array(new SharedArrayBuffer(4));

/**
 * A descriptor of standard error of which no write waits for the reader. A pipe or a terminal is opened once more where the system can do that
 * (Linux): every other program that shares standard error itself would get its mode, and could undo it.
 */
function openWithoutWaiting(): number {
  if (fstatSync(2).isFile()) return 2;
  try {
    return openSync('/proc/self/fd/2', constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    // Elsewhere, and for the sockets of service managers: Node's own stream sets the mode when it is made.
    void process.stderr.writable;
    return 2;
  }
}

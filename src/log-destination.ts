/** Where the log's lines go: standard error, never waited for. A reader that is stuck, or a full disk, costs lines, which are counted, and nothing else. */
import { constants, fstatSync, openSync, writeSync } from 'node:fs';

/** So much waits for a reader that has stopped, or a disk that is full; what comes then is dropped. Bytes, as far as lines are ASCII. */
const MAX_WAITING = 4 * 1024 * 1024;

/** So much is handed over before the turn of the event loop is over. */
const FLUSH_AT = 64 * 1024;

/** How soon a reader or a disk that had no room is tried again. Milliseconds. */
const RETRY_MS = 25;

/** How long a process that ends waits for a reader. Milliseconds. */
const LAST_WAIT_MS = 1_000;

/** How lines are treated. */
export interface LogDestinationOptions {
  /** What becomes of lines of JSON, each with its line feed, before they are written; all at once, since to look at each would cost each. */
  readonly format?: (lines: string) => string;
  /** The line that tells of dropped ones. */
  readonly describeDropped: (dropped: number) => string;
}

/** What pino writes to. */
export interface LogDestination {
  /** Takes a line. */
  write(line: string): void;
}

/**
 * Opens standard error for the log. Lines are gathered until the event loop comes round: one system call for all of them, which
 * takes what there is room for. What is left when the process ends, however it does so by its own will, is written then.
 */
export function openLogDestination({
  format = (lines) => lines,
  describeDropped,
}: LogDestinationOptions): LogDestination {
  const descriptor = openWithoutWaiting();
  const queue = new LineQueue((bytes) => writeSync(descriptor, bytes), { format, describeDropped });
  process.on('exit', () => queue.writeLast());
  return queue;
}

/** Lines that have not been written. */
class LineQueue implements LogDestination {
  readonly #put: (bytes: Uint8Array) => number;
  readonly #options: Required<LogDestinationOptions>;
  /** Lines that no write has been tried with. */
  #lines = '';
  /** What a write has left. */
  #rest: Uint8Array = NOTHING;
  #dropped = 0;
  /** Whether a turn of the event loop, or a moment, is waited for. */
  #isScheduled = false;
  #isReaderGone = false;

  constructor(put: (bytes: Uint8Array) => number, options: Required<LogDestinationOptions>) {
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

  /** Writes what there is room for, and comes back for the rest. */
  #flush(): void {
    if (!this.#flushOnce()) this.#schedule((flush) => setTimeout(flush, RETRY_MS).unref());
  }

  /** Has a flush done later. */
  #schedule(start: (flush: () => void) => void): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    start(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  /** Writes what there is room for; whether that was everything. */
  #flushOnce(): boolean {
    try {
      while (this.#takeNext()) this.#rest = this.#rest.subarray(this.#put(this.#rest));
      return true;
    } catch (error) {
      return this.#isOver(error);
    }
  }

  /** Has `#rest` hold what is to be written next; whether there is something. */
  #takeNext(): boolean {
    if (this.#rest.length > 0) return true;
    let text = this.#lines;
    this.#lines = '';
    if (this.#dropped > 0) text += this.#options.describeDropped(this.#dropped);
    this.#dropped = 0;
    this.#rest = text === '' ? NOTHING : Buffer.from(this.#options.format(text));
    return this.#rest.length > 0;
  }

  /** Whether nothing is left to be written after a write that failed. It must not take the server with it. */
  #isOver(error: unknown): boolean {
    // A reader that has no room will have some, and so may a full disk: what waits goes on where it was cut, in the middle of a line too.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPIPE')) return false;
    // A pipe without a reader gets none again.
    this.#isReaderGone = true;
    this.#rest = NOTHING;
    this.#lines = '';
    return true;
  }
}

const NOTHING = new Uint8Array(0);

/** Something that never changes, to wait for. */
const CLOCK = new Int32Array(new SharedArrayBuffer(4));

/**
 * Standard error in a way that no write waits for its reader. A pipe or a terminal is opened once more where the system can
 * do that (Linux): with standard error itself, every other program that has it would get this mode, and could undo it.
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

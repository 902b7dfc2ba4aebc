/** Passes on the lines that are JSON, and reports those that are not: the SDK drops them without a word. */
import { Transform, type TransformCallback } from 'node:stream';

/** A line feed. */
const LF = 10;

/** The longest line that is checked; the SDK's own bound is for longer ones. */
const MAX_LINE_BYTES = 10 * 1024 * 1024;

/** A stream that passes on lines of JSON. */
export class JsonLines extends Transform {
  readonly #onOther: () => void;
  /** The beginning of a line whose end has not come. */
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(onOther: () => void) {
    super();
    this.#onOther = onOther;
  }

  /** Called with what has been read. */
  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    let from = 0;
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, from)) {
      this.#take(chunk.subarray(from, end + 1));
      this.#end();
      from = end + 1;
    }
    this.#take(chunk.subarray(from));
    if (this.#bytes > MAX_LINE_BYTES) this.#pass();
    done();
  }

  /** Keeps a part of a line. */
  #take(part: Buffer): void {
    if (part.length === 0) return;
    this.#parts.push(part);
    this.#bytes += part.length;
  }

  /** Passes on a complete line if it is JSON or empty, and reports it otherwise. */
  #end(): void {
    const text = Buffer.concat(this.#parts).toString().trim();
    if (text === '' || isJson(text)) this.#pass();
    else {
      this.#forget();
      this.#onOther();
    }
  }

  /** Passes on what is kept. */
  #pass(): void {
    this.push(Buffer.concat(this.#parts));
    this.#forget();
  }

  /** Drops what is kept. */
  #forget(): void {
    [this.#parts, this.#bytes] = [[], 0];
  }
}

/** Whether a text is JSON. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Takes HTTP/1.1 responses apart as their bytes arrive: heads, bodies of known length, chunked bodies. */

/** What the parts of a response are handed to. */
export interface ResponseParts {
  head(status: number, head: string): void;
  body(bytes: Buffer): void;
  end(): void;
}

const HEAD_END = '\r\n\r\n';

/** What the bytes that come next are. */
type State = 'head' | 'fixed' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailer';

/** Reads one connection's responses, one after the other. */
export class HttpReader {
  readonly #parts: ResponseParts;
  #state: State = 'head';
  #unread: Buffer = Buffer.alloc(0);
  /** Bytes of the body, or of the chunk, that are still to come. */
  #missing = 0;

  constructor(parts: ResponseParts) {
    this.#parts = parts;
  }

  /**
   * Takes the bytes that arrived.
   * @throws {Error} when they are no HTTP/1.1 response of a kind that is read here
   */
  feed(bytes: Buffer): void {
    this.#unread = this.#unread.length === 0 ? bytes : Buffer.concat([this.#unread, bytes]);
    while (this.#step());
  }

  /** Reads the next piece; false when more bytes are needed first. */
  #step(): boolean {
    if (this.#state === 'head') return this.#readHead();
    if (this.#state === 'fixed' || this.#state === 'chunk') return this.#readBody();
    if (this.#state === 'chunk-size') return this.#readChunkSize();
    return this.#state === 'chunk-end' ? this.#readChunkEnd() : this.#readTrailer();
  }

  #readHead(): boolean {
    const end = this.#unread.indexOf(HEAD_END);
    if (end === -1) return false;
    const head = this.#take(end + HEAD_END.length).toString('latin1');
    const status = Number(head.slice(9, 12));
    if (!head.startsWith('HTTP/1.1 ')) throw new Error(`Not an HTTP/1.1 response: ${head.slice(0, 40)}`);
    this.#parts.head(status, head);
    const length = headerOf(head, 'content-length');
    if (length !== undefined) this.#expect('fixed', Number(length));
    else if (headerOf(head, 'transfer-encoding') === 'chunked') this.#state = 'chunk-size';
    else if (status === 204 || status === 202) this.#finish();
    else throw new Error(`A response without length: ${head}`);
    return true;
  }

  #expect(state: 'fixed' | 'chunk', bytes: number): void {
    this.#state = state;
    this.#missing = bytes;
    if (bytes === 0) this.#finish();
  }

  #readBody(): boolean {
    if (this.#unread.length === 0) return false;
    const bytes = this.#take(Math.min(this.#missing, this.#unread.length));
    this.#missing -= bytes.length;
    this.#parts.body(bytes);
    if (this.#missing > 0) return false;
    if (this.#state === 'fixed') this.#finish();
    else this.#state = 'chunk-end';
    return true;
  }

  #readChunkSize(): boolean {
    const line = this.#readLine();
    if (line === undefined) return false;
    const size = Number.parseInt(line, 16);
    if (!Number.isInteger(size)) throw new Error(`Not a chunk size: ${line.slice(0, 40)}`);
    if (size === 0) this.#state = 'trailer';
    else this.#expect('chunk', size);
    return true;
  }

  #readChunkEnd(): boolean {
    const line = this.#readLine();
    if (line !== undefined) this.#state = 'chunk-size';
    return line !== undefined;
  }

  #readTrailer(): boolean {
    const line = this.#readLine();
    if (line === '') this.#finish();
    return line !== undefined;
  }

  #readLine(): string | undefined {
    const end = this.#unread.indexOf('\r\n');
    return end === -1 ? undefined : this.#take(end + 2).toString('latin1', 0, end);
  }

  #take(length: number): Buffer {
    const taken = this.#unread.subarray(0, length);
    this.#unread = this.#unread.subarray(length);
    return taken;
  }

  #finish(): void {
    this.#state = 'head';
    this.#parts.end();
  }
}

/** The value of a header, named in lower case, or undefined when the head has none. */
export function headerOf(head: string, name: string): string | undefined {
  return HEADERS[name]?.exec(head)?.[1]?.trim();
}

/** One expression for each header that is looked for, made once. */
const HEADERS: Readonly<Record<string, RegExp>> = Object.fromEntries(
  ['content-length', 'content-type', 'transfer-encoding', 'mcp-session-id'].map((name) => [
    name,
    new RegExp(`\\r\\n${name}:([^\\r]*)`, 'i'),
  ]),
);

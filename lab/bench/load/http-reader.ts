/** Parses HTTP/1.1 responses as their bytes arrive: heads, bodies with a length, and chunked bodies. */

/** Receives the parts of a response. */
export interface ResponseParts {
  head(status: number, head: string): void;
  body(bytes: Buffer): void;
  end(): void;
}

const HEAD_END = '\r\n\r\n';

/** What the next bytes belong to. */
type State = 'head' | 'fixed' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailer';

/** Parses the responses of one connection, one after the other. */
export class HttpReader {
  readonly #parts: ResponseParts;
  #state: State = 'head';
  #unread: Buffer = Buffer.alloc(0);
  /** How many bytes of the body, or of the chunk, have not arrived yet. */
  #missing = 0;

  constructor(parts: ResponseParts) {
    this.#parts = parts;
  }

  /**
   * Parses bytes that have arrived.
   * @throws {Error} when they are no HTTP/1.1 response of a kind that this reader knows
   */
  feed(bytes: Buffer): void {
    this.#unread = this.#unread.length === 0 ? bytes : Buffer.concat([this.#unread, bytes]);
    while (this.#step());
  }

  /** Parses the next part; returns false when it needs more bytes. */
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

/** The value of a header, by its lower-case name; undefined when the head does not have it. */
export function headerOf(head: string, name: string): string | undefined {
  return HEADERS[name]?.exec(head)?.[1]?.trim();
}

/** The expression for each header that is read, compiled once. */
const HEADERS: Readonly<Record<string, RegExp>> = Object.fromEntries(
  ['content-length', 'content-type', 'transfer-encoding', 'mcp-session-id'].map((name) => [
    name,
    new RegExp(`\\r\\n${name}:([^\\r]*)`, 'i'),
  ]),
);

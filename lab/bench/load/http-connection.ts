/** A keep-alive HTTP connection on a raw socket, with one request in flight at a time. */
import { connect, type Socket } from 'node:net';
import { headerOf, HttpReader } from './http-reader.ts';

/** A complete response. */
export interface HttpAnswer {
  readonly status: number;
  readonly head: string;
  readonly text: string;
}

/** The request whose response is being read. */
interface Waiting {
  readonly resolve: (answer: HttpAnswer) => void;
  readonly reject: (error: Error) => void;
  /** Receives the body as it arrives; the request then resolves with the head alone. */
  readonly onText: ((text: string) => void) | undefined;
}

/** A connection to a server on this machine. */
export class HttpConnection {
  readonly #socket: Socket;
  #waiting: Waiting | undefined;
  #status = 0;
  #head = '';
  #body: Buffer[] = [];
  #closed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    const reader = new HttpReader({
      head: (status, head) => this.#onHead(status, head),
      body: (bytes) => this.#onBody(bytes),
      end: () => this.#onEnd(),
    });
    socket.setNoDelay(true);
    socket.on('data', (bytes) => {
      try {
        reader.feed(bytes);
      } catch (error) {
        socket.destroy(error instanceof Error ? error : new Error(String(error)));
      }
    });
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('The server closed the connection.')));
  }

  /** Opens a connection to a port. */
  static open(port: number): Promise<HttpConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.removeListener('error', reject);
        resolve(new HttpConnection(socket));
      });
    });
  }

  /** Sends a request; resolves with the complete response. */
  request(bytes: string): Promise<HttpAnswer> {
    return this.#send(bytes, undefined);
  }

  /** Sends a request whose response is a stream; resolves with its head. The body is passed to `onText`. */
  openStream(bytes: string, onText: (text: string) => void): Promise<HttpAnswer> {
    return this.#send(bytes, onText);
  }

  /** Closes the connection. */
  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  #send(bytes: string, onText: Waiting['onText']): Promise<HttpAnswer> {
    if (this.#waiting !== undefined) throw new Error('A request is on its way already.');
    if (this.#socket.destroyed) throw new Error('The connection is closed.');
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject, onText };
      this.#socket.write(bytes, 'latin1');
    });
  }

  #onHead(status: number, head: string): void {
    this.#status = status;
    this.#head = head;
    const isStream = headerOf(head, 'content-type')?.startsWith('text/event-stream') === true;
    if (this.#waiting?.onText !== undefined && isStream) this.#waiting.resolve({ status, head, text: '' });
  }

  #onBody(bytes: Buffer): void {
    if (this.#waiting?.onText === undefined) this.#body.push(bytes);
    else this.#waiting.onText(bytes.toString('latin1'));
  }

  #onEnd(): void {
    const waiting = this.#waiting;
    const [only, ...more] = this.#body;
    const bytes = more.length === 0 ? only : Buffer.concat(this.#body);
    this.#body = [];
    this.#waiting = undefined;
    waiting?.resolve({ status: this.#status, head: this.#head, text: bytes?.toString('latin1') ?? '' });
  }

  #fail(error: Error): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (!this.#closed) waiting?.reject(error);
  }
}

/** The transport of a stdio server. It answers the requests in flight when its input ends: the SDK's aborts them and answers nothing. */
import type { Readable, Writable } from 'node:stream';
import {
  type JSONRPCMessage,
  type JSONRPCRequest,
  PROTOCOL_VERSION_META_KEY,
  type Transport,
  type TransportSendOptions,
  UnsupportedProtocolVersionError,
} from '@modelcontextprotocol/server';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { spellUnspellable } from '../mcp/messages.ts';
import { correctParamsError } from '../mcp/params-check.ts';
import { STATELESS_REVISION } from '../mcp/plain-meta.ts';
import { JsonLines } from './json-lines.ts';

/**
 * How long answers are waited for after the end of the input: a tool that never ends, or asks a user who is gone, must not keep the process
 * alive. Milliseconds.
 */
const PATIENCE_MS = 300_000;

/** The options of the transport. */
export interface PatientStdioOptions {
  readonly input?: Readable;
  readonly output?: Writable;
  /** Called for a line that is not a message, with the reason. */
  readonly onRefused?: (words: string) => void;
  /** Called when the connection is over: no call is waited for any more. */
  readonly onOver?: () => void;
}

/** The SDK's transport, which learns of the end of its input when there is nothing left to answer. */
export class PatientStdio implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  readonly #input: Readable;
  readonly #held = new JsonLines(() => this.#refuse(-32_700, 'Parse error: a line is not JSON.'));
  readonly #output: Writable;
  readonly #onRefused: (words: string) => void;
  readonly #onOver: () => void;
  readonly #inner: StdioServerTransport;
  /** The requests without an answer, by their ids. */
  readonly #waiting = new Map<string | number, JSONRPCRequest>();
  #isInputOver = false;
  /** How the client has begun: with a session, whose revision counts for all messages, or with stateless requests. */
  #kind: 'session' | 'alone' | undefined;

  constructor({
    input = process.stdin,
    output = process.stdout,
    onRefused = () => undefined,
    onOver = () => undefined,
  }: PatientStdioOptions = {}) {
    [this.#input, this.#output, this.#onRefused, this.#onOver] = [input, output, onRefused, onOver];
    this.#inner = new StdioServerTransport(this.#held, output);
  }

  /** Begins to read. */
  async start(): Promise<void> {
    Object.assign(this.#inner, {
      onmessage: (message) => {
        if (this.#refuseRevision(message)) return;
        this.#noteReceived(message);
        this.onmessage?.(message);
      },
      onerror: (error) => {
        if (error.name.endsWith('ZodError'))
          this.#refuse(-32_600, 'Invalid Request: a line must be one JSON-RPC message.');
        this.onerror?.(error);
      },
      onclose: () => {
        this.#input.unpipe(this.#held);
        this.#input.pause();
        this.onclose?.();
        this.#onOver();
      },
    } satisfies Pick<Transport, 'onmessage' | 'onerror' | 'onclose'>);
    await this.#inner.start();
    const end = (): void => this.#noteEnd();
    this.#input.once('end', end).once('close', end).pipe(this.#held, { end: false });
  }

  /** Sends a message. */
  async send(message: JSONRPCMessage, _options?: TransportSendOptions): Promise<void> {
    const answered = 'method' in message ? undefined : message.id;
    const request = answered === undefined ? undefined : this.#waiting.get(answered);
    const corrected = request === undefined ? message : correctParamsError(message, request);
    try {
      await this.#inner.send(corrected);
    } catch (error) {
      // A feature may have answered anything; without an error the client would wait for ever, and the end of stdin with it.
      if (answered === undefined || isSpellable(corrected)) throw error;
      this.#output.write(`${spellUnspellable(answered)}\n`);
    }
    if (answered !== undefined) this.#forget(answered);
  }

  /** Ends the connection at once. */
  async close(): Promise<void> {
    await this.#inner.close();
  }

  /** Answers a line that is not a message. The id is null, since nobody knows which it was meant to have. */
  #refuse(code: number, message: string): void {
    this.#onRefused(message);
    this.#output.write(`${JSON.stringify({ jsonrpc: '2.0', id: null, error: { code, message } })}\n`);
  }

  /**
   * Refuses a stateless request of an unsupported revision; returns whether it did. The SDK checks the first request only, but each names
   * its own revision.
   */
  #refuseRevision(message: JSONRPCMessage): boolean {
    if (!('method' in message && 'id' in message)) return false;
    const requested = message.params?._meta?.[PROTOCOL_VERSION_META_KEY];
    if (message.method === 'initialize') this.#kind ??= 'session';
    if (requested === STATELESS_REVISION) this.#kind ??= 'alone';
    if (this.#kind === 'session' || typeof requested !== 'string' || requested === STATELESS_REVISION)
      return false;
    const error = new UnsupportedProtocolVersionError({ supported: [STATELESS_REVISION], requested });
    const answer = { code: error.code, message: error.message, data: error.data };
    this.#output.write(`${JSON.stringify({ jsonrpc: '2.0', id: message.id, error: answer })}\n`);
    return true;
  }

  /** Records the requests to answer, and drops those that are cancelled. */
  #noteReceived(message: JSONRPCMessage): void {
    if (!('method' in message)) return;
    // A subscription is answered when the connection ends: to wait for it would keep the connection open.
    if ('id' in message) {
      if (message.method !== 'subscriptions/listen') this.#waiting.set(message.id, message);
    } else if (message.method === 'notifications/cancelled') {
      const id = message.params?.['requestId'];
      if (typeof id === 'string' || typeof id === 'number') this.#forget(id);
    }
  }

  /** Drops a request: nobody waits for its answer any more. */
  #forget(id: string | number): void {
    this.#waiting.delete(id);
    this.#endIfDone();
  }

  /** Handles the end of the input. */
  #noteEnd(): void {
    if (this.#isInputOver) return;
    this.#isInputOver = true;
    setTimeout(() => this.#held.end(), PATIENCE_MS).unref();
    // A single message that is piped in may lack its line feed. If all lines have theirs, this adds an empty one.
    this.#held.write('\n');
    // What was read last has yet to pass through.
    setImmediate(() => this.#endIfDone());
  }

  /** Ends the SDK's input, if the input is over and nothing is left to read or to answer. */
  #endIfDone(): void {
    if (!this.#isInputOver || this.#waiting.size > 0) return;
    if (this.#held.readableLength + this.#held.writableLength === 0) this.#held.end();
    else setImmediate(() => this.#endIfDone());
  }
}

/** Whether JSON can represent a message. */
function isSpellable(message: JSONRPCMessage): boolean {
  try {
    JSON.stringify(message);
    return true;
  } catch {
    return false;
  }
}

/** The SDK's server of one session, and the transport through which it hears and speaks. */
import type { JSONRPCMessage, JSONRPCRequest, McpServer, Transport } from '@modelcontextprotocol/server';
import { type Caller, toAuthInfo } from './caller.ts';
import { isRequest, isResponse, type RequestId } from './messages.ts';
import { createParamsCheck } from './params-check.ts';
import { createMcpServer, type McpDefinition } from './server.ts';

/** Where what the server says goes. */
export interface SdkOutbound {
  /** Takes the answer to a request, as JSON. */
  answer(id: RequestId, json: string): void;
  /** Takes a notification or a request of the server's own. */
  send(message: JSONRPCMessage, options?: SendOptions): Promise<void>;
}

/** What a message is about. */
export interface SendOptions {
  /** The client's request that it belongs to. */
  readonly relatedRequestId?: RequestId;
}

/** What has been agreed on with a client. */
export interface Handshake {
  /** What it sent with `initialize`. */
  readonly params: JSONRPCRequest['params'];
  /** Whether it has said that it is done. */
  readonly isInitialized: boolean;
}

/** What the server's end of a session is made from. */
export interface SdkSessionParts {
  readonly definition: McpDefinition;
  readonly userId: string;
  readonly outbound: SdkOutbound;
  /** What somebody else has agreed on with the client: the server is told, and its answer goes nowhere. */
  readonly handshake: Handshake | undefined;
}

/** The server's end of a session. */
export class SdkSession implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: NonNullable<Transport['onmessage']>;
  readonly #parts: SdkSessionParts;
  readonly #server: McpServer;
  readonly #params = createParamsCheck();
  /** What came before the server was ready; undefined when it is. */
  #waiting: (() => void)[] | undefined = [];
  #onHandshake: (() => void) | undefined;

  constructor(parts: SdkSessionParts) {
    this.#parts = parts;
    this.#server = createMcpServer(parts.definition, { session: parts });
    this.#open().catch((error: unknown) => parts.definition.log.error({ err: error }, 'session failed'));
  }

  /** The revision that the server has negotiated. */
  get protocolVersion(): string | undefined {
    return this.#server.server.getNegotiatedProtocolVersion();
  }

  /** Hands a message to the server, after those that came before it. */
  forward(message: JSONRPCMessage, caller: Caller): void {
    if (isRequest(message)) this.#params.note(message);
    const hand = (): void => this.onmessage?.(message, { authInfo: toAuthInfo(caller) });
    if (this.#waiting === undefined) hand();
    else this.#waiting.push(hand);
  }

  /** Forgets a request that will not be answered. */
  forget(id: RequestId): void {
    this.#params.forget(id);
  }

  /** Called by the SDK; the stream or the requests to answer on are there already. */
  async start(): Promise<void> {}

  /** Called by the SDK. */
  async send(message: JSONRPCMessage, options?: SendOptions): Promise<void> {
    const { outbound } = this.#parts;
    if (!isResponse(message)) await outbound.send(message, options);
    else if (this.#onHandshake !== undefined) this.#onHandshake();
    else if (message.id !== undefined)
      outbound.answer(message.id, JSON.stringify(this.#params.correct(message)));
  }

  /** Ends the server's part: what it works on is cancelled. */
  async close(): Promise<void> {
    this.onclose?.();
  }

  /** Connects the server and brings it to where the session is. */
  async #open(): Promise<void> {
    const { handshake } = this.#parts;
    await this.#server.connect(this);
    if (handshake !== undefined) {
      await new Promise<void>((resolve) => {
        this.#onHandshake = resolve;
        this.onmessage?.({ jsonrpc: '2.0', id: 0, method: 'initialize', params: handshake.params });
      });
      this.#onHandshake = undefined;
      if (handshake.isInitialized) this.onmessage?.({ jsonrpc: '2.0', method: 'notifications/initialized' });
    }
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const hand of waiting) hand();
  }
}

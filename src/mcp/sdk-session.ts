/** The SDK's server of one session, and the transport through which it hears and speaks. */
import type { JSONRPCMessage, JSONRPCRequest, McpServer, Transport } from '@modelcontextprotocol/server';
import { type Caller, type Pause, toAuthInfo } from './caller.ts';
import { isResponse, type RequestId } from './messages.ts';
import { createRequestNames, type RequestNames } from './own-requests.ts';
import { createMcpServer, type McpDefinition } from './server.ts';
import type { McpSession } from './session.ts';

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

/** A request that sets something in a session, without its id. */
export interface Setting {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** What the server's end of a session is made from. */
export interface SdkSessionParts {
  readonly definition: McpDefinition;
  /** Where what the server says goes. */
  readonly session: McpSession;
  /** Whose changes it tells its client of, where nobody else does. */
  readonly follows: { readonly userId: string } | undefined;
  /** What somebody else has agreed on with the client: the server is told, and its answer goes nowhere. */
  readonly handshake: Handshake | undefined;
}

/** When a client comes back that a feature has sent away without saying when. Milliseconds. */
const PAUSE_MS = 1_000;

/** The server's end of a session. */
export class SdkSession implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: NonNullable<Transport['onmessage']>;
  readonly #parts: SdkSessionParts;
  readonly #server: McpServer;
  /** Absent where every answer comes to this process. */
  readonly #names: RequestNames | undefined;
  /** What came before the server was ready; undefined when it is. */
  #waiting: (() => void)[] | undefined = [];
  #onHandshake: (() => void) | undefined;

  constructor(parts: SdkSessionParts) {
    this.#parts = parts;
    const { processName } = parts.definition;
    this.#names = processName === undefined ? undefined : createRequestNames(processName);
    this.#server = createMcpServer(parts.definition, parts.follows && { session: parts.follows });
    this.#open().catch((error: unknown) => parts.definition.log.error({ err: error }, 'session failed'));
  }

  /** The revision that the server has negotiated. */
  get protocolVersion(): string | undefined {
    return this.#server.server.getNegotiatedProtocolVersion();
  }

  /** Hands a message to the server, after those that came before it; a request with how its client is sent away. */
  forward(message: JSONRPCMessage, caller: Caller, pause?: Pause): void {
    const known = this.#names === undefined ? message : this.#names.unname(message);
    if (known === undefined) return;
    const hand = (): void =>
      this.onmessage?.(known, {
        authInfo: toAuthInfo(caller, pause),
        // For what a feature registers on the SDK itself: `http.closeSSE`.
        ...(pause !== undefined && { closeSSEStream: () => void pause(PAUSE_MS) }),
      });
    if (this.#waiting === undefined) hand();
    else this.#waiting.push(hand);
  }

  /** Sets something that the client has set elsewhere; nobody waits for the answer. */
  apply({ method, params }: Setting, caller: Caller): void {
    // No request of the session has a text for a key.
    this.forward({ jsonrpc: '2.0', id: 'applied', method, params }, caller);
  }

  /** Whether nothing waits for it to be ready. */
  get isReady(): boolean {
    return this.#waiting === undefined;
  }

  /** Has the server cancel a request, which it then does not answer. */
  cancel(requestId: number): void {
    const hand = (): void =>
      this.onmessage?.({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } });
    if (this.#waiting === undefined) hand();
    else this.#waiting.push(hand);
  }

  /** Called by the SDK; the stream or the requests to answer on are there already. */
  async start(): Promise<void> {}

  /** Called by the SDK. */
  async send(message: JSONRPCMessage, options?: SendOptions): Promise<void> {
    const { session } = this.#parts;
    if (!isResponse(message)) await session.send(this.#names?.name(message) ?? message, options);
    else if (this.#onHandshake !== undefined) this.#onHandshake();
    else if (message.id !== undefined) session.answer(message.id, message);
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

/** The SDK's server of one session, and the transport that connects it to the session. */
import type { JSONRPCMessage, JSONRPCRequest, McpServer, Transport } from '@modelcontextprotocol/server';
import { type Caller, type Pause, toAuthInfo } from './caller.ts';
import { isResponse, type RequestId } from './messages.ts';
import { createRequestNames, type RequestNames } from './own-requests.ts';
import { createMcpServer, type McpDefinition } from './server.ts';
import type { McpSession } from './session.ts';

/** The options of a message to the client. */
export interface SendOptions {
  /** The client's request that the message belongs to. */
  readonly relatedRequestId?: RequestId;
}

/** The handshake with a client. */
export interface Handshake {
  /** The parameters of the client's `initialize`. */
  readonly params: JSONRPCRequest['params'];
  /** Whether the client has sent `notifications/initialized`. */
  readonly isInitialized: boolean;
}

/** A request that changes a setting of a session, without its id. */
export interface Setting {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** The parts of an {@link SdkSession}. */
export interface SdkSessionParts {
  readonly definition: McpDefinition;
  /** Takes what the server sends. */
  readonly session: McpSession;
  /** The user whose changes the server tells its client of; undefined if the session does that. */
  readonly follows: { readonly userId: string } | undefined;
  /** A handshake that has already taken place without this server: it is replayed, and the server's answer is dropped. */
  readonly handshake: Handshake | undefined;
}

/** When a client comes back after a feature has closed its stream without saying for how long. Milliseconds. */
const PAUSE_MS = 1_000;

/** The SDK's server of a session, with the transport that it is connected to. */
export class SdkSession implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: NonNullable<Transport['onmessage']>;
  readonly #parts: SdkSessionParts;
  readonly #server: McpServer;
  /** Absent if every response reaches this process. */
  readonly #names: RequestNames | undefined;
  /** The messages that came before the server was ready; undefined once it is. */
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

  /** Passes a message to the server, after those that came before it. `pause` ends the response to a request for a while. */
  forward(message: JSONRPCMessage, caller: Caller, pause?: Pause): void {
    const known = this.#names === undefined ? message : this.#names.unname(message);
    if (known === undefined) return;
    const hand = (): void =>
      this.onmessage?.(known, {
        authInfo: toAuthInfo(caller, pause),
        // For handlers that a feature registers on the SDK itself: `http.closeSSE`.
        ...(pause !== undefined && { closeSSEStream: () => void pause(PAUSE_MS) }),
      });
    if (this.#waiting === undefined) hand();
    else this.#waiting.push(hand);
  }

  /** Applies a setting that the client has changed elsewhere; nobody waits for the answer. */
  apply({ method, params }: Setting, caller: Caller): void {
    // The keys of the session's own requests are numbers, so none of them has this id.
    this.forward({ jsonrpc: '2.0', id: 'applied', method, params }, caller);
  }

  /** Whether the server is ready, so that messages reach it at once. */
  get isReady(): boolean {
    return this.#waiting === undefined;
  }

  /** Cancels a request in the server, which then does not answer it. */
  cancel(requestId: number): void {
    const hand = (): void =>
      this.onmessage?.({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } });
    if (this.#waiting === undefined) hand();
    else this.#waiting.push(hand);
  }

  /** Called by the SDK. There is nothing to start: the stream or the requests to answer on are there already. */
  async start(): Promise<void> {}

  /** Called by the SDK to send a message to the client. */
  async send(message: JSONRPCMessage, options?: SendOptions): Promise<void> {
    const { session } = this.#parts;
    if (!isResponse(message)) await session.send(this.#names?.name(message) ?? message, options);
    else if (this.#onHandshake !== undefined) this.#onHandshake();
    else if (message.id !== undefined) session.answer(message.id, message);
  }

  /** Closes the server: the requests that it works on are cancelled. */
  async close(): Promise<void> {
    this.onclose?.();
  }

  /** Connects the server, replays the handshake, and passes on the messages that have waited. */
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

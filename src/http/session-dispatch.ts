/** How a session's messages reach its server, over either transport: the short way where there is one, else the SDK. */
import type { AuthInfo, JSONRPCMessage, McpServer } from '@modelcontextprotocol/server';
import { type Caller, toAuthInfo } from '../mcp/caller.ts';
import { type Send, SessionLane } from '../mcp/fast-lane.ts';
import { type McpDefinition, revisionOf } from '../mcp/server.ts';
import type { RequestId } from '../sessions/registry.ts';
import { cancelledIdOf, isRequest } from './json-rpc.ts';
import { createParamsCheck } from './params-check.ts';

/** A session's server, and the two ends of its transport. */
export interface DispatchParts {
  readonly definition: McpDefinition;
  readonly server: McpServer;
  /** Sends to the client. */
  readonly send: Send;
  /** Hands a message to the SDK. */
  readonly forward: (message: JSONRPCMessage, extra: { readonly authInfo: AuthInfo }) => void;
}

/** The dispatch of one session. */
export class SessionDispatch {
  readonly #forward: DispatchParts['forward'];
  readonly #lane: SessionLane;
  readonly #params = createParamsCheck();

  constructor({ definition, server, send, forward }: DispatchParts) {
    this.#forward = forward;
    this.#lane = new SessionLane({ definition, send, protocolVersion: () => revisionOf(server) });
  }

  /** Hands a message over. Returns the id of the request that it cancels: that one is never going to be answered. */
  deliver(message: JSONRPCMessage, caller: Caller): RequestId | undefined {
    if (!this.#lane.take(message, caller)) {
      if (isRequest(message)) this.#params.note(message);
      this.#forward(message, { authInfo: toAuthInfo(caller) });
    }
    const cancelledId = cancelledIdOf(message);
    if (cancelledId !== undefined) {
      this.#lane.cancel(cancelledId);
      this.#params.forget(cancelledId);
    }
    return cancelledId;
  }

  /** An answer of the server as the client is to see it. */
  correct(answer: JSONRPCMessage): JSONRPCMessage {
    return this.#params.correct(answer);
  }

  /** Cancels what is under way: the session has ended. */
  close(): void {
    this.#lane.close();
  }
}

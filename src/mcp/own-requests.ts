/**
 * Unique ids of a server's own requests, for when a client's response may reach another process than the one that asks: the numbers that
 * the SDK uses could be taken there for the id of another request.
 */
import { randomBytes } from 'node:crypto';
import type { JSONRPCMessage } from '@modelcontextprotocol/server';
import { isRequest, isResponse, type RequestId } from './messages.ts';

/** Translates the ids of outgoing and incoming messages. */
export interface RequestNames {
  /** Translates an outgoing message of the SDK's server. */
  name(message: JSONRPCMessage): JSONRPCMessage;
  /** Translates a client's message for the SDK's server; undefined for a response to a request that this server never sent. */
  unname(message: JSONRPCMessage): JSONRPCMessage | undefined;
}

/** `<process>.<server>.<number>`. */
const NAME = /^([\w-]+)\.([\w-]+)\.(\d+)$/;

/** Makes the ids of one SDK server's requests. They differ from those of every other server, of this process too. */
export function createRequestNames(processName: string): RequestNames {
  const own = `${processName}.${randomBytes(6).toString('base64url')}`;
  const named = (id: unknown): unknown => (typeof id === 'number' ? `${own}.${id}` : id);
  const unnamed = (id: unknown): number | undefined => {
    const [, owner, server, number] = NAME.exec(String(id)) ?? [];
    return `${owner}.${server}` === own ? Number(number) : undefined;
  };

  return {
    name(message) {
      if (isRequest(message)) return { ...message, id: `${own}.${message.id}` };
      if (!('method' in message) || message.method !== 'notifications/cancelled') return message;
      return { ...message, params: { ...message.params, requestId: named(message.params?.['requestId']) } };
    },
    unname(message) {
      if (!isResponse(message)) return message;
      const id = unnamed(message.id);
      return id === undefined ? undefined : { ...message, id };
    },
  };
}

/** The process whose request a message responds to; undefined if it is no response to such a request. */
export function askerOf(message: JSONRPCMessage): string | undefined {
  if ('method' in message) return undefined;
  const id: RequestId | undefined = message.id;
  return typeof id === 'string' ? NAME.exec(id)?.[1] : undefined;
}

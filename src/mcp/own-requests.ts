/**
 * The names of a server's own requests, where a client's answer may reach another process than the one that asks: with numbers alone, as the
 * SDK counts them, it could be taken there for the answer to another question.
 */
import { randomBytes } from 'node:crypto';
import type { JSONRPCMessage } from '@modelcontextprotocol/server';
import { isRequest, isResponse, type RequestId } from './messages.ts';

/** Renames what goes out and comes in. */
export interface RequestNames {
  /** A message of the SDK's server as it goes out. */
  name(message: JSONRPCMessage): JSONRPCMessage;
  /** A client's message as the SDK's server knows it; undefined for an answer to what it never asked. */
  unname(message: JSONRPCMessage): JSONRPCMessage | undefined;
}

/** `<process>.<server>.<number>`. */
const NAME = /^([\w-]+)\.([\w-]+)\.(\d+)$/;

/** The names of one server's requests: those of another server of this process are none of its own either. */
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

/** The process that asked what a message answers; undefined when it answers nothing of the kind. */
export function askerOf(message: JSONRPCMessage): string | undefined {
  if ('method' in message) return undefined;
  const id: RequestId | undefined = message.id;
  return typeof id === 'string' ? NAME.exec(id)?.[1] : undefined;
}

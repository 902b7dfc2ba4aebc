/**
 * Lists of what a server does not have, answered with empty ones: clients ask for them whatever the capabilities say, and some give the
 * whole server up when they are told that there is no such method. The capabilities stay as they are. On sessions only: clients of
 * 2026-07-28 go by the capabilities, and its conformance suite wants -32601.
 */
import { type McpServer, ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';

/** The lists, and the capability that a server with something in them has. */
const LISTS = [
  { method: 'tools/list', capability: 'tools', empty: { tools: [] } },
  { method: 'prompts/list', capability: 'prompts', empty: { prompts: [] } },
  { method: 'resources/list', capability: 'resources', empty: { resources: [] } },
  { method: 'resources/templates/list', capability: 'resources', empty: { resourceTemplates: [] } },
] as const;

/** Has a session's server answer the lists that it has no capability for; to be called when everything has been registered. */
export function answerEmptyLists({ server }: McpServer): void {
  const capabilities = server.getCapabilities();
  // The SDK refuses a handler without its capability. For the moment this server does not ask.
  // oxlint-disable-next-line no-unsafe-type-assertion -- the gap in the types; json-rpc.test.ts notices if the method goes away
  const unchecked = server as unknown as UncheckedServer;
  unchecked.assertRequestHandlerCapability = () => {};
  for (const { method, capability, empty } of LISTS) {
    if (capabilities[capability] !== undefined) continue;
    unchecked.setRequestHandler(method, (request) => {
      refuseCursor(request?.params);
      return { ...empty };
    });
  }
  delete unchecked.assertRequestHandlerCapability;
}

/** A server as it is handled here: the method that asks for capabilities is protected, and the empty lists are of one kind. */
interface UncheckedServer {
  assertRequestHandlerCapability?: () => void;
  setRequestHandler(
    method: string,
    // Where the list of tools is asked for besides a request, there is none.
    handler: (request?: { readonly params?: Readonly<Record<string, unknown>> }) => object,
  ): void;
}

/**
 * Refuses a cursor: lists come whole, so that none has been given.
 * @throws {ProtocolError} -32602, as the specification has it for an invalid cursor
 */
export function refuseCursor(params: Readonly<Record<string, unknown>> | undefined): void {
  if (params?.['cursor'] === undefined) return;
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Unknown cursor: lists come whole here.');
}

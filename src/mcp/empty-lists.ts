/**
 * Answers the lists that a server has no capability for with empty ones: clients ask for them whatever the capabilities say, and some give
 * up the whole server when they read that the method does not exist. The capabilities stay as they are. Only on sessions: clients of
 * 2026-07-28 go by the capabilities, and the conformance suite of that revision expects -32601.
 */
import { type McpServer, ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';

/** The methods of lists, each with the capability that a server with entries in the list has. */
const LISTS = [
  { method: 'tools/list', capability: 'tools', empty: { tools: [] } },
  { method: 'prompts/list', capability: 'prompts', empty: { prompts: [] } },
  { method: 'resources/list', capability: 'resources', empty: { resources: [] } },
  { method: 'resources/templates/list', capability: 'resources', empty: { resourceTemplates: [] } },
] as const;

/** Makes a session's server answer the lists that it has no capability for. Call it after everything has been registered. */
export function answerEmptyLists({ server }: McpServer): void {
  const capabilities = server.getCapabilities();
  // The SDK refuses a handler whose capability is missing, so its check is replaced for the moment.
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

/** The SDK's server as it is used here: its method that checks capabilities is protected, and the handlers of empty lists have one type. */
interface UncheckedServer {
  assertRequestHandlerCapability?: () => void;
  setRequestHandler(
    method: string,
    // There is no request when the list of tools is read outside of one.
    handler: (request?: { readonly params?: Readonly<Record<string, unknown>> }) => object,
  ): void;
}

/**
 * Refuses a cursor: lists are not paginated, so the server has never issued one.
 * @throws {ProtocolError} -32602, the specification's code for an invalid cursor
 */
export function refuseCursor(params: Readonly<Record<string, unknown>> | undefined): void {
  if (params?.['cursor'] === undefined) return;
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Unknown cursor: this list has one page only.');
}

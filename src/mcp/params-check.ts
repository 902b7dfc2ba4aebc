/**
 * Gives wrong parameters the code that JSON-RPC has for them. On sessions the SDK answers those of most methods with -32603 and
 * its schema's list of issues; that a method does not exist it still says itself.
 */
import {
  INTERNAL_ERROR,
  INVALID_PARAMS,
  isJSONRPCErrorResponse,
  isSpecType,
  type JSONRPCMessage,
  type JSONRPCRequest,
} from '@modelcontextprotocol/server';

/** The answer to a request, corrected where the SDK blames itself for the client's parameters. They are looked at only then. */
export function correctParamsError(answer: JSONRPCMessage, request: JSONRPCRequest): JSONRPCMessage {
  if (!isJSONRPCErrorResponse(answer) || answer.error.code !== INTERNAL_ERROR) return answer;
  if (CHECKS.get(request.method)?.(request) !== false) return answer;
  return {
    ...answer,
    error: { code: INVALID_PARAMS, message: 'Invalid params: they do not fit the method.' },
  };
}

/** Whether a request of a method of the specification has parameters of the right types. */
const CHECKS: ReadonlyMap<string, (request: unknown) => boolean> = new Map<
  string,
  (request: unknown) => boolean
>([
  ['ping', isSpecType.PingRequest],
  ['tools/list', isSpecType.ListToolsRequest],
  ['tools/call', isSpecType.CallToolRequest],
  ['prompts/list', isSpecType.ListPromptsRequest],
  ['prompts/get', isSpecType.GetPromptRequest],
  ['resources/list', isSpecType.ListResourcesRequest],
  ['resources/templates/list', isSpecType.ListResourceTemplatesRequest],
  ['resources/read', isSpecType.ReadResourceRequest],
  ['resources/subscribe', isSpecType.SubscribeRequest],
  ['resources/unsubscribe', isSpecType.UnsubscribeRequest],
  ['completion/complete', isSpecType.CompleteRequest],
  ['logging/setLevel', isSpecType.SetLevelRequest],
]);

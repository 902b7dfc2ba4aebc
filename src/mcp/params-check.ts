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

/** The checks of one session. */
export interface ParamsCheck {
  /** Looks at a request on its way in. */
  note(request: JSONRPCRequest): void;
  /** Corrects an answer on its way out. */
  correct(answer: JSONRPCMessage): JSONRPCMessage;
  /** Forgets a request that will not be answered. */
  forget(id: string | number): void;
}

/** Makes the checks of a session. */
export function createParamsCheck(): ParamsCheck {
  // No larger than the number of requests being worked on.
  const wrong = new Set<string | number>();
  return {
    note(request) {
      const hasRightParams = CHECKS.get(request.method);
      if (hasRightParams?.(request) === false) wrong.add(request.id);
    },
    correct(answer) {
      if (!('id' in answer) || answer.id === undefined || !wrong.delete(answer.id)) return answer;
      if (!isJSONRPCErrorResponse(answer) || answer.error.code !== INTERNAL_ERROR) return answer;
      return {
        ...answer,
        error: { code: INVALID_PARAMS, message: 'Invalid params: they do not fit the method.' },
      };
    },
    forget: (id) => void wrong.delete(id),
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

/**
 * Gives wrong parameters the code that JSON-RPC has for them. The SDK answers those of most methods with -32603 and its schema's
 * list of issues; that a method does not exist it still says itself.
 */
import {
  INTERNAL_ERROR,
  INVALID_PARAMS,
  isJSONRPCErrorResponse,
  isJSONRPCRequest,
  isSpecType,
  type JSONRPCMessage,
  type JSONRPCRequest,
} from '@modelcontextprotocol/server';

/** The answer to a request, corrected where the SDK blames itself for the client's parameters. They are looked at only then. */
export function correctParamsError(answer: JSONRPCMessage, request: JSONRPCRequest): JSONRPCMessage {
  if (!isJSONRPCErrorResponse(answer) || answer.error.code !== INTERNAL_ERROR) return answer;
  const type = TYPES.get(request.method);
  if (type === undefined || isSpecType[type](request)) return answer;
  return {
    ...answer,
    error: { code: INVALID_PARAMS, message: 'Invalid params: they do not fit the method.' },
  };
}

/** The same for an answer that is JSON, to a body that may be no request. */
export function correctParamsErrorIn(text: string, request: unknown): string {
  // Nearly all.
  if (text.startsWith('{"result":') || !text.includes(String(INTERNAL_ERROR))) return text;
  const answer: unknown = JSON.parse(text);
  if (!isJSONRPCErrorResponse(answer) || !isJSONRPCRequest(request)) return text;
  return JSON.stringify(correctParamsError(answer, request));
}

/** What the specification calls the request of each of its methods. Names, because the SDK makes its schemas when they are asked for. */
const TYPES: ReadonlyMap<string, keyof typeof isSpecType> = new Map<string, keyof typeof isSpecType>([
  ['initialize', 'InitializeRequest'],
  ['ping', 'PingRequest'],
  ['tools/list', 'ListToolsRequest'],
  ['tools/call', 'CallToolRequest'],
  ['prompts/list', 'ListPromptsRequest'],
  ['prompts/get', 'GetPromptRequest'],
  ['resources/list', 'ListResourcesRequest'],
  ['resources/templates/list', 'ListResourceTemplatesRequest'],
  ['resources/read', 'ReadResourceRequest'],
  ['resources/subscribe', 'SubscribeRequest'],
  ['resources/unsubscribe', 'UnsubscribeRequest'],
  ['completion/complete', 'CompleteRequest'],
  ['logging/setLevel', 'SetLevelRequest'],
]);

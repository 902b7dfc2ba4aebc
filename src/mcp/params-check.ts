/**
 * Gives invalid parameters the error code of JSON-RPC. For most methods the SDK answers them with -32603 and the issues of its schema.
 * Unknown methods are left to the SDK.
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

/** Corrects the answer to a request, if the SDK reports an internal error for invalid parameters. The parameters are checked only then. */
export function correctParamsError(answer: JSONRPCMessage, request: JSONRPCRequest): JSONRPCMessage {
  if (!isJSONRPCErrorResponse(answer) || answer.error.code !== INTERNAL_ERROR) return answer;
  const type = TYPES.get(request.method);
  if (type === undefined || isSpecType[type](request)) return answer;
  return {
    ...answer,
    error: { code: INVALID_PARAMS, message: 'Invalid params: they are not valid for this method.' },
  };
}

/** The same for an answer that is JSON already, to a body that may not be a request. */
export function correctParamsErrorIn(text: string, request: unknown): string {
  // Nearly all answers.
  if (text.startsWith('{"result":') || !text.includes(String(INTERNAL_ERROR))) return text;
  const answer: unknown = JSON.parse(text);
  if (!isJSONRPCErrorResponse(answer) || !isJSONRPCRequest(request)) return text;
  return JSON.stringify(correctParamsError(answer, request));
}

/** The specification's type of each method's request. Names only, because the SDK makes its schemas when they are asked for. */
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

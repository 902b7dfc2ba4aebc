/** The handlers that the SDK and features have set on a server, underneath this server's own. */
import {
  type McpServer,
  ProtocolError,
  ProtocolErrorCode,
  type ServerContext,
} from '@modelcontextprotocol/server';
import type { Caller } from './caller.ts';
import { type Asked, serve, type ServeFrame } from './serve.ts';
import type { McpDefinition } from './server.ts';

/** A request handler, with the types that are used here. */
export type Handler = (request: AnyRequest, context: ServerContext) => unknown;

/** A request whose parameters the SDK has checked. */
export interface AnyRequest {
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>> | undefined;
}

/** The handlers that have been set on a server, by method. */
export type Handlers = ReadonlyMap<string, Handler>;

/** What the handlers of a server are made from. */
export interface HandlerParts {
  readonly server: McpServer;
  readonly definition: McpDefinition;
  /** The handlers that the SDK and features have set. */
  readonly inner: Handlers;
  readonly connectionCaller: (() => Caller) | undefined;
}

/**
 * Records the handlers that are set on a server until `release`. `onSet` is called with each method, and with `notifications` for every
 * handler of notifications.
 */
export function captureHandlers(
  { server }: McpServer,
  onSet: (method: string) => void,
): { readonly handlers: Handlers; release(): void } {
  const handlers = new Map<string, Handler>();
  const setRequestHandler: (method: string, ...rest: never[]) => void = server.setRequestHandler.bind(server);
  server.setRequestHandler = (method: string, ...rest: never[]): void => {
    onSet(method);
    const handler: Handler | undefined = rest.at(-1);
    if (handler !== undefined) handlers.set(method, handler);
    setRequestHandler(method, ...rest);
  };
  const setNotificationHandler: (...all: never[]) => void = server.setNotificationHandler.bind(server);
  server.setNotificationHandler = (...all: never[]): void => {
    onSet('notifications');
    setNotificationHandler(...all);
  };
  return {
    handlers,
    release() {
      Reflect.deleteProperty(server, 'setRequestHandler');
      Reflect.deleteProperty(server, 'setNotificationHandler');
    },
  };
}

/** Makes the frame of a request to a server. */
export function frameOf(
  { server, definition, connectionCaller }: HandlerParts,
  context: ServerContext,
): ServeFrame {
  const protocolVersion = server.server.getNegotiatedProtocolVersion();
  return { definition, context, protocolVersion, connectionCaller };
}

/** The error for something that does not exist. */
export function noSuch(what: string, name: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, `There is no ${what} "${name}".`);
}

/**
 * Passes a request to the handler that a feature has registered, with a line in the log. `refuse` is that of `serve`.
 * @throws {ProtocolError} when there is no such handler, or the request fails
 */
export async function passOn<Result>(
  parts: HandlerParts,
  asked: Asked,
  request: AnyRequest,
  context: ServerContext,
  refuse?: (words: string) => Result,
): Promise<Result> {
  const handler = parts.inner.get(request.method);
  if (handler === undefined) {
    throw noSuch(asked.kind, asked.name);
  }
  // oxlint-disable-next-line no-unsafe-type-assertion -- what handlers of a method return, the SDK checks
  const work = async () => handler(refuseNameOfEveryObject(asked, request), context) as Promise<Result>;
  return serve(asked, frameOf(parts, context), work, refuse);
}

/**
 * Returns the request, unless it names a member of every object: the SDK looks names up in plain objects, and would find that member.
 * @throws {ProtocolError} with the SDK's own words for an unknown name
 */
function refuseNameOfEveryObject({ kind }: Asked, request: AnyRequest): AnyRequest {
  const { params } = request;
  const named = kind === 'completion' ? params?.['ref'] : params;
  const name = typeof named === 'object' && named !== null && 'name' in named ? named.name : undefined;
  if (typeof name === 'string' && name in Object.prototype) {
    const what = kind === 'tool' ? 'Tool' : 'Prompt';
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, `${what} ${name} not found`);
  }
  return request;
}

/** The entries that a feature's own handler lists under a name. */
export async function listInner<Entry>(
  { inner }: HandlerParts,
  request: AnyRequest,
  context: ServerContext,
  name: string,
): Promise<Entry[]> {
  const found: unknown = await inner.get(request.method)?.(request, context);
  // oxlint-disable-next-line no-unsafe-type-assertion -- what handlers of a method return, the SDK checks
  return (found as Record<string, Entry[]> | undefined)?.[name] ?? [];
}

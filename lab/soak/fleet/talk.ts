/** Sends the workers' requests to the processes, through the balancer, and reads streams event by event. */
import type { SoakUser } from '../workers.ts';

/** A revision whose streams can be resumed. */
const REVISION = '2025-11-25';

/** How long to wait for an answer or an error before it counts as lost. Milliseconds. */
export const LOST_AFTER_MS = 40_000;

/** An event of a stream. */
export interface StreamEvent {
  readonly id: string | undefined;
  readonly data: string;
}

/** A request. */
export interface Asking {
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** With a body, the request is a POST. */
  readonly body?: object;
  /** Aborts the request. Default: a timeout, after which the answer counts as lost. */
  readonly signal?: AbortSignal;
}

/** The requests of one user. */
export interface Talk {
  readonly user: SoakUser;
  /** Resolves with the response; rejects when the connection breaks. */
  ask(asking: Asking): Promise<Response>;
}

/** Makes the requests of a user. */
export function createTalk(url: string, user: SoakUser): Talk {
  return {
    user,
    ask: async ({ path = '/mcp', headers = {}, body, signal }) =>
      fetch(new URL(path, url), {
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          Authorization: `Bearer ${user.token}`,
          Accept: 'application/json, text/event-stream',
          ...(body !== undefined && { 'Content-Type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: signal ?? AbortSignal.timeout(LOST_AFTER_MS),
      }),
  };
}

/** Makes a call of a tool, with a progress token. */
export function callOf(id: number, name: string, input: object): object {
  const params = { name, arguments: input, _meta: { progressToken: id } };
  return { jsonrpc: '2.0', id, method: 'tools/call', params };
}

/** Opens a session of Streamable HTTP; resolves to the headers that name it. */
export async function openSession({ ask }: Talk): Promise<Record<string, string>> {
  const clientInfo = { name: 'soak', version: '1' };
  const params = { protocolVersion: REVISION, capabilities: {}, clientInfo };
  const opened = await ask({ body: { jsonrpc: '2.0', id: 0, method: 'initialize', params } });
  const id = opened.headers.get('mcp-session-id');
  await opened.text();
  if (id === null) throw new Error(`initialize was answered ${opened.status}`);
  return { 'Mcp-Session-Id': id, 'MCP-Protocol-Version': REVISION };
}

/** Yields the events of a response as they arrive; ends, or throws, when the response does. */
export async function* eventsOf(response: Response): AsyncGenerator<StreamEvent> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body ?? []) {
    // oxlint-disable-next-line no-unsafe-type-assertion -- what fetch brings are bytes, which its types do not say
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    const frames = text.split('\n\n');
    text = frames.pop() ?? '';
    for (const frame of frames) {
      const id = /^id: ?(.*)$/m.exec(frame)?.[1];
      yield { id, data: /^data: ?(.*)$/m.exec(frame)?.[1] ?? '' };
    }
  }
}

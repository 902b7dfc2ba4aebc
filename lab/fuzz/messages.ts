/** Builds JSON-RPC messages of every MCP revision: first as the specification has them, then mutated. */
import { Members, mutate, mutateBytes, strangeValue, toJsonText } from './json-text.ts';
import type { Random } from './random.ts';

/** The revisions that have sessions. */
export const SESSION_REVISIONS = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'] as const;

/** The revision without sessions. */
export const STATELESS_REVISION = '2026-07-28';

/** Makes an `initialize` request. */
export function initialize(id: string | number, protocolVersion: string): object {
  return {
    jsonrpc: '2.0',
    id,
    method: 'initialize',
    params: { protocolVersion, capabilities: {}, clientInfo: { name: 'fuzz', version: '1' } },
  };
}

/** Makes a `tools/call` request. */
export function toolCall(id: string | number, name: string, input: object): object {
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: input } };
}

/** The members of `_meta` that every request of the stateless revision must have. */
export const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': STATELESS_REVISION,
  'io.modelcontextprotocol/clientInfo': { name: 'fuzz', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
} as const;

/** Makes a valid request of any method. `tag` is the sender's text, which no other user may receive. */
function anyMessage(random: Random, tag: string): Record<string, unknown> {
  const id = random.weighted<() => string | number>([
    [6, () => random.int(1, 1_000_000)],
    [3, () => `id-${random.int(1, 1_000_000)}`],
    [1, () => random.pick(['', '__proto__', 'constructor', 'a\u0000b', '\n', 'x'.repeat(300)])],
    [1, () => random.pick([0, -1, Number.MAX_SAFE_INTEGER])],
  ])();
  const [method, params] = random.weighted<() => readonly [string, unknown]>([
    [8, () => ['tools/call', toolParams(random, tag)]],
    [3, () => ['initialize', { ...initializeParams(random), _meta: { tag } }]],
    [2, () => ['tools/list', random.chance(0.5) ? {} : { cursor: tag }]],
    [1, () => ['ping', undefined]],
    [1, () => ['logging/setLevel', { level: random.pick(['debug', 'error', 'loud']) }]],
    [1, () => [`resources/${random.pick(['list', 'templates/list'])}`, {}]],
    [1, () => [`resources/${random.pick(['read', 'subscribe', 'unsubscribe'])}`, { uri: `test://${tag}` }]],
    [1, () => ['prompts/list', {}]],
    [1, () => ['prompts/get', { name: tag, arguments: { a: 'b' } }]],
    [
      1,
      () => [
        'completion/complete',
        { ref: { type: 'ref/prompt', name: tag }, argument: { name: 'a', value: '' } },
      ],
    ],
    [1, () => [`tasks/${random.pick(['get', 'list', 'cancel', 'result'])}`, { taskId: tag }]],
    [1, () => ['server/discover', {}]],
    [1, () => ['subscriptions/listen', { filter: { toolsListChanged: true }, tag }]],
    [1, () => [random.pick(['sampling/createMessage', 'elicitation/create', 'roots/list']), { tag }]],
    [
      1,
      () => [
        random.pick(['', 'rpc.discover', 'tools', 'tools/call/', '__proto__', 'toString', 'unknown/method']),
        {},
      ],
    ],
  ])();
  return { jsonrpc: '2.0', id, method, ...(params !== undefined && { params }) };
}

/** Makes a valid notification. */
function anyNotification(random: Random, tag: string): Record<string, unknown> {
  const [method, params] = random.weighted<() => readonly [string, unknown]>([
    [3, () => ['initialized', undefined]],
    [4, () => ['cancelled', { requestId: random.pick<unknown>([1, 'id-1', '__proto__', tag]), reason: tag }]],
    [2, () => ['progress', { progressToken: random.pick<unknown>([1, 'x', tag]), progress: 1, total: 2 }]],
    [1, () => ['roots/list_changed', {}]],
    [1, () => ['message', { level: 'info', data: tag }]],
    [1, () => ['unknown', { tag }]],
  ])();
  return { jsonrpc: '2.0', method: `notifications/${method}`, ...(params !== undefined && { params }) };
}

/** Makes a response to a request that the server never sent. */
function anyAnswer(random: Random, tag: string): Record<string, unknown> {
  const id = random.pick<unknown>([0, 1, 2, 'x', tag, null]);
  const error = { code: -32_000, message: tag, data: { tag } };
  return { jsonrpc: '2.0', id, ...(random.chance(0.5) ? { result: { roots: [], tag } } : { error }) };
}

/** Adds a `_meta` with members that a revision may have. */
function withMeta(
  random: Random,
  message: Record<string, unknown>,
  stateless: boolean,
): Record<string, unknown> {
  const { params = {} } = message;
  const meta = {
    ...(stateless && ENVELOPE),
    ...(random.chance(0.4) && { progressToken: random.chance(0.5) ? random.int(0, 99) : 'progress' }),
    ...(random.chance(0.1) && { 'io.modelcontextprotocol/related-task': { taskId: 'x' } }),
    ...(random.chance(0.1) && { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }),
  };
  return { ...message, params: { ...(typeof params === 'object' ? params : {}), _meta: meta } };
}

/** Makes a body: a message or a batch, valid, mutated in its fields, or damaged in its bytes. */
export function anyBody(random: Random, tag: string, { stateless = false } = {}): Buffer {
  const one = (): unknown => {
    const message = random.weighted([
      [10, anyMessage],
      [3, anyNotification],
      [1, anyAnswer],
    ])(random, tag);
    const whole = random.chance(stateless ? 0.95 : 0.3) ? withMeta(random, message, stateless) : message;
    return times<unknown>(random.weighted([[3, 0], [5, 1], [2, 2], [1, 4]]), whole, (value: unknown) => mutate(random, value)); // prettier-ignore
  };
  const value = random.weighted<() => unknown>([
    [14, one],
    [2, () => Array.from({ length: random.weighted([[8, random.int(0, 5)], [1, 100], [1, 101]]) }, one)],
    [1, () => strangeValue(random)],
    [1, () => new Members([['jsonrpc', '2.0'], ['id', 1], ['method', 'ping'], ['method', 'tools/list'], ['id', 2]])],
  ])(); // prettier-ignore
  const bytes = Buffer.from(toJsonText(value));
  return random.chance(0.15) ? mutateBytes(random, bytes) : bytes;
}

/** Makes the parameters of a tool call, which may be right or wrong. */
function toolParams(random: Random, tag: string): unknown {
  const name = random.pick([
    'get_greeting',
    'echo_message',
    'whoami',
    'whoami',
    'echo_message',
    'unknown',
    '__proto__',
  ]);
  const input = random.weighted<() => unknown>([
    [5, () => ({ message: tag })],
    [2, () => ({ name: tag })],
    [2, () => ({ name: null })],
    [1, () => ({ message: `${tag}\u0000\ud800${tag}` })],
    [1, () => ({ message: `${tag}${'x'.repeat(random.int(1, 30_000))}` })],
    [2, () => strangeValue(random)],
    [1, () => undefined],
  ])();
  return { name, arguments: input, ...(random.chance(0.05) && { task: { ttl: 1000 } }) };
}

/** Makes the parameters of `initialize`. */
function initializeParams(random: Random): Record<string, unknown> {
  return {
    protocolVersion: random.pick([...SESSION_REVISIONS, STATELESS_REVISION, '1999-01-01', '']),
    capabilities: random.pick<unknown>([
      {},
      { roots: { listChanged: true }, sampling: {}, elicitation: {} },
      { tasks: {} },
    ]),
    clientInfo: { name: 'fuzz', version: '1', title: 'Fuzz' },
  };
}

/** Applies a function this many times. */
function times<T>(count: number, value: T, step: (value: T) => T): T {
  return count <= 0 ? value : times(count - 1, step(value), step);
}

/** The clients of each workload: the calls that one client repeats. */
import { type TokenRange, tokenOf, UNKNOWN_TOKEN } from '../tokens.ts';
import {
  messageIn,
  requireAnswered,
  requireListed,
  requireStatus,
  requireText,
  requireTools,
} from './answers.ts';
import { HttpConnection } from './http-connection.ts';
import type { AskedMethod, Workload } from './job.ts';
import { openPoster } from './poster.ts';
import { createRecordedCall, helloOf } from './recorded-call.ts';
import {
  ACCEPT_BOTH,
  createKnownCall,
  createSpeller,
  type KnownCall,
  LIST_MESSAGE,
  STATELESS_META,
  STATELESS_REVISION,
} from './requests.ts';
import { openSseSession } from './sse-session.ts';
import { openStreamableSession } from './streamable-session.ts';

/** One client. */
export interface Client {
  /** Makes one call; rejects when its answer is wrong. */
  call(): Promise<void>;
  close(): void;
}

/** The options of a client. */
export interface ClientOptions {
  /** The port at which it opens its session. */
  readonly port: number;
  /** The ports to which the messages of a session go, in turn. */
  readonly posts: readonly number[];
  readonly workload: Workload;
  /** The number of this client: clients begin with different tokens. */
  readonly index: number;
  readonly tokens: TokenRange;
}

/** Connects a client, and opens what its calls need. */
export function openClient(options: ClientOptions): Promise<Client> {
  const { workload } = options;
  if (workload.kind === 'tools') return openToolsClient(options, workload.valid);
  if (workload.kind === 'churn') {
    const open = workload.transport === 'sse' ? openSseSession : openStreamableSession;
    return openChurnClient(options, open);
  }
  if (workload.kind === 'ask') return openAskingClient(options, workload.methods);
  const { messageBytes, sentAs, transport } = workload;
  const bare = createKnownCall({ messageBytes, isStateless: transport === 'stateless' });
  const known = sentAs === undefined ? bare : createRecordedCall(sentAs, bare);
  if (workload.transport === 'stateless') return openStatelessClient(options, known);
  const open = workload.transport === 'sse' ? openSseSession : openStreamableSession;
  const hello = sentAs === undefined ? undefined : helloOf(sentAs);
  return openSessionClient(options, (session) => open({ ...session, hello }), known);
}

type OpenSession = typeof openSseSession | typeof openStreamableSession;

/** Makes a client that calls a tool in a session of its own. */
async function openSessionClient(
  { port, posts, index, tokens }: ClientOptions,
  openSession: OpenSession,
  { message, answer }: KnownCall,
): Promise<Client> {
  const poster = await openPoster(posts);
  const session = await openSession({ port, poster, token: tokenFor(tokens, index) });
  let id = 0;
  return {
    async call() {
      id += 1;
      requireText(await session.request(id, message(id)), id, answer);
    },
    close() {
      session.drop();
      poster.close();
    },
  };
}

/** Makes a client that calls a tool in stateless requests. */
async function openStatelessClient(
  { port, index, tokens }: ClientOptions,
  known: KnownCall,
): Promise<Client> {
  const connection = await HttpConnection.open(port);
  const spell = createSpeller({
    method: 'POST',
    path: '/mcp',
    headers: {
      ...ACCEPT_BOTH,
      'MCP-Protocol-Version': STATELESS_REVISION,
      'Mcp-Method': 'tools/call',
      'Mcp-Name': known.tool,
    },
  });
  const token = tokenFor(tokens, index);
  let id = 0;
  return {
    async call() {
      id += 1;
      const answer = await connection.request(spell(token, known.message(id)));
      requireText(messageIn(answer), id, known.answer);
    },
    close: () => connection.close(),
  };
}

/** Makes a client that asks several things one after the other, in stateless requests. */
async function openAskingClient(
  { port, index, tokens }: ClientOptions,
  methods: readonly AskedMethod[],
): Promise<Client> {
  const connection = await HttpConnection.open(port);
  const token = tokenFor(tokens, index);
  const call = createKnownCall({ isStateless: true });
  const question = JSON.stringify({ _meta: STATELESS_META });
  const steps = methods.map((method) => {
    const name = method === 'tools/call' ? { 'Mcp-Name': call.tool } : {};
    const own = { 'MCP-Protocol-Version': STATELESS_REVISION, 'Mcp-Method': method, ...name };
    const spell = createSpeller({ method: 'POST', path: '/mcp', headers: { ...ACCEPT_BOTH, ...own } });
    const spellAsked = (id: number): string =>
      `{"jsonrpc":"2.0","id":${id},"method":"${method}","params":${question}}`;
    return { method, spell, message: method === 'tools/call' ? call.message : spellAsked };
  });
  let id = 0;
  return {
    async call() {
      for (const { method, spell, message } of steps) {
        id += 1;
        const answer = await connection.request(spell(token, message(id)));
        if (method === 'tools/call') requireText(messageIn(answer), id, call.answer);
        else requireAnswered(answer, method);
      }
    },
    close: () => connection.close(),
  };
}

/** Makes a client that requests the list of tools. */
async function openToolsClient({ port, index, tokens }: ClientOptions, valid: boolean): Promise<Client> {
  const connection = await HttpConnection.open(port);
  const spell = createSpeller({ method: 'GET', path: '/tools' });
  let turn = index * 7919;
  return {
    async call() {
      turn += 1;
      const answer = await connection.request(spell(valid ? tokenFor(tokens, turn) : UNKNOWN_TOKEN));
      requireStatus(answer, [valid ? 200 : 401]);
      if (valid) requireTools(answer.text);
    },
    close: () => connection.close(),
  };
}

/** Makes a client that opens sessions, does the least in each that clients do, and ends them. */
async function openChurnClient(
  { port, index, tokens }: ClientOptions,
  openSession: OpenSession,
): Promise<Client> {
  const poster = await HttpConnection.open(port);
  const token = tokenFor(tokens, index);
  const known = createKnownCall({ isStateless: false });
  return {
    async call() {
      const session = await openSession({ port, poster, token });
      requireListed(await session.request(1, LIST_MESSAGE));
      requireText(await session.request(2, known.message(2)), 2, known.answer);
      await session.end();
    },
    close: () => poster.close(),
  };
}

/** The token for a turn. */
function tokenFor({ count, step, text }: TokenRange, turn: number): string {
  return text ?? tokenOf((turn % count) * step);
}

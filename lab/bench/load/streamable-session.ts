/** A session of Streamable HTTP: every message is a POST, and the response has its answer. */
import { messageIn, requireInitialized, requireStatus, type RpcAnswer, WrongAnswerError } from './answers.ts';
import { headerOf } from './http-reader.ts';
import {
  ACCEPT_BOTH,
  createSpeller,
  INITIALIZED_MESSAGE,
  initializeMessage,
  SESSION_REVISION,
} from './requests.ts';
import type { ClientSession, Hello, SessionOptions } from './sse-session.ts';

/** Opens a session, and completes the handshake. */
export async function openStreamableSession({
  poster,
  token,
  hello = HELLO,
}: SessionOptions): Promise<ClientSession> {
  const opened = await poster.request(spellInitialize(token, hello.message));
  requireInitialized(messageIn(opened));
  const sessionId = headerOf(opened.head, 'mcp-session-id');
  if (sessionId === undefined) throw new WrongAnswerError(`initialize without a session id: ${opened.head}`);
  const headers = { ...ACCEPT_BOTH, 'MCP-Protocol-Version': hello.revision, 'Mcp-Session-Id': sessionId };
  const spellPost = createSpeller({ method: 'POST', path: '/mcp', headers });
  const spellDelete = createSpeller({ method: 'DELETE', path: '/mcp', headers });

  requireStatus(await poster.request(spellPost(token, INITIALIZED_MESSAGE)), [202, 200]);
  return {
    async request(_id: number, message: string): Promise<RpcAnswer> {
      return messageIn(await poster.request(spellPost(token, message)));
    },
    async end() {
      requireStatus(await poster.request(spellDelete(token)), [200, 202, 204]);
    },
    drop: () => undefined,
  };
}

/** The default `initialize` request. */
const HELLO: Hello = { revision: SESSION_REVISION, message: initializeMessage(SESSION_REVISION) };

const spellInitialize = createSpeller({ method: 'POST', path: '/mcp', headers: ACCEPT_BOTH });

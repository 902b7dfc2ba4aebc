/** Opens sessions that do nothing, and keeps them open. */
import { tokenOf } from '../tokens.ts';
import { HttpConnection } from './http-connection.ts';
import type { HoldJob } from './job.ts';
import { type ClientSession, openSseSession } from './sse-session.ts';
import { openStreamableSession } from './streamable-session.ts';

/** How many are opened at the same time. */
const AT_ONCE = 64;

/** Opens the sessions. The returned function closes them. */
export async function holdSessions({ server, transport, sessions }: HoldJob): Promise<() => void> {
  const open = transport === 'sse' ? openSseSession : openStreamableSession;
  const held: ClientSession[] = [];
  const openSome = async (count: number): Promise<void> => {
    const poster = await HttpConnection.open(server.port);
    for (let index = 0; index < count; index += 1)
      held.push(await open({ port: server.port, poster, token: tokenOf(0) }));
    poster.close();
  };
  const share = Math.ceil(sessions / AT_ONCE);
  const shares = Array.from({ length: AT_ONCE }, (_, index) => Math.min(share, sessions - index * share));
  await Promise.all(shares.filter((count) => count > 0).map(openSome));
  return () => {
    for (const session of held) session.drop();
  };
}

/**
 * Remembers the credential that a connection's last request was let in with, so that the next one on it need not be read and hashed
 * again. What is remembered is what Node keeps of an open connection anyway, and goes with it; that the token is valid is looked up
 * for each request all the same. With and without it, `npm run bench -- --only streamable` differs by about a tenth. Delete this file
 * and its uses, and nothing changes.
 */
import type { IncomingHttpHeaders } from 'node:http';

/** A credential that has been read and hashed. */
export interface KnownCredential {
  readonly token: string;
  readonly digest: string;
}

/** What is kept for a connection. */
interface Memo extends KnownCredential {
  readonly authorization: string;
}

/** The memory of a server. */
export interface ConnectionMemo {
  /** The credential of a request on this connection, when it is the one that is remembered. */
  recall(connection: object, headers: IncomingHttpHeaders): KnownCredential | undefined;
  /** Remembers the credential that a request was let in with. */
  remember(connection: object, headers: IncomingHttpHeaders, credential: KnownCredential): void;
}

/** Makes an empty memory. */
export function createConnectionMemo(): ConnectionMemo {
  const memos = new WeakMap<object, Memo>();
  return {
    recall(connection, headers) {
      const memo = memos.get(connection);
      const isSame = memo !== undefined && memo.authorization === headers.authorization;
      return isSame && isAlone(headers) ? memo : undefined;
    },
    remember(connection, headers, { token, digest }) {
      const { authorization } = headers;
      if (authorization !== undefined && isAlone(headers))
        memos.set(connection, { authorization, token, digest });
    },
  };
}

/** Whether the Authorization header has no rival: two credentials may differ. */
function isAlone(headers: IncomingHttpHeaders): boolean {
  return headers['x-api-key'] === undefined && headers['x-auth-token'] === undefined;
}

/** The live sessions of this process and the user each belongs to: caps, idle end, drain. */

/** What is counted as a session. A 2026-07-28 subscription has no session id, but holds a stream just the same. */
export type SessionKind = 'sse' | 'streamable-http' | 'subscription';

/** Why a session ends. */
export type EndReason = 'closed' | 'idle' | 'revoked' | 'shutdown';

/** What is needed to open a session. */
export interface SessionOpening {
  readonly id: string;
  readonly userId: string;
  readonly kind: SessionKind;
  /** Ends the session's streams and frees what it holds. Called once. */
  readonly onEnd: (reason: EndReason) => void;
}

/** A JSON-RPC request id. */
export type RequestId = string | number;

/** The caps of a registry. */
export interface RegistryOptions {
  readonly maxSessions: number;
  readonly maxSessionsPerUser: number;
  readonly idleMs: number;
  readonly now?: () => number;
}

/** No room for another session: of this user, or at all. */
export class SessionLimitError extends Error {
  override readonly name = 'SessionLimitError';
  readonly scope: 'user' | 'server' | 'draining';

  constructor(scope: 'user' | 'server' | 'draining') {
    super(`no room for another session (${scope})`);
    this.scope = scope;
  }
}

/** A session: whose it is, and what keeps it from being idle. */
export class Session {
  readonly id: string;
  readonly userId: string;
  readonly kind: SessionKind;
  readonly #onSettled: (session: Session) => void;
  readonly #now: () => number;
  readonly #calls = new Set<RequestId>();
  #streams = 0;
  #lastUsedMs: number;

  constructor(opening: SessionOpening, now: () => number, onSettled: (session: Session) => void) {
    this.id = opening.id;
    this.userId = opening.userId;
    this.kind = opening.kind;
    this.#now = now;
    this.#lastUsedMs = now();
    this.#onSettled = onSettled;
  }

  /** How many requests are being worked on. */
  get callsInFlight(): number {
    return this.#calls.size;
  }

  /** Whether a request with this id is being worked on. */
  isWorkingOn(id: RequestId): boolean {
    return this.#calls.has(id);
  }

  /** Notes that work on a request begins. */
  begin(id: RequestId): void {
    this.#calls.add(id);
    this.touch();
  }

  /** Notes that a request is answered, or cancelled and will never be. */
  settle(id: RequestId): void {
    this.touch();
    if (this.#calls.delete(id) && this.#calls.size === 0) this.#onSettled(this);
  }

  /** Notes a sign of life. */
  touch(): void {
    this.#lastUsedMs = this.#now();
  }

  /** Notes an open stream; the returned function notes its end. */
  holdStream(): () => void {
    this.#streams += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#streams -= 1;
      this.touch();
    };
  }

  /** Whether nothing has used it for this long: no stream, no call, no request. */
  isIdle(idleMs: number): boolean {
    return this.#streams === 0 && this.#calls.size === 0 && this.#now() - this.#lastUsedMs >= idleMs;
  }
}

/** The live sessions. */
export interface SessionRegistry {
  readonly size: number;
  /**
   * Makes room for a session.
   * @throws {SessionLimitError} when the user or the server has too many, or the server is shutting down
   */
  open(opening: SessionOpening): Session;
  /** The session with this id, if it is this user's. Somebody else's is as good as none: ids must not be probed. */
  find(id: string, userId: string, kind: SessionKind): Session | undefined;
  /** Ends a session; does nothing when it has ended. */
  end(session: Session, reason: EndReason): void;
  /** Ends the sessions that nothing has used for the idle time. */
  endIdle(): void;
  /** Ends the sessions of the users who may not go on. */
  endRevoked(mayContinue: (userId: string) => boolean): void;
  /** Refuses new sessions, ends each one as soon as its calls are answered, and resolves when none is left. */
  drain(): Promise<void>;
}

/** Makes an empty registry. */
export function createSessionRegistry({
  maxSessions,
  maxSessionsPerUser,
  idleMs,
  now = Date.now,
}: RegistryOptions): SessionRegistry {
  // Maps, never plain objects: `sessionId=__proto__` must find nothing.
  const sessions = new Map<string, { session: Session; onEnd: (reason: EndReason) => void }>();
  const countOf = new Map<string, number>();
  let onDrained: (() => void) | undefined;

  const end = (session: Session, reason: EndReason): void => {
    const entry = sessions.get(session.id);
    if (entry?.session !== session) return;
    sessions.delete(session.id);
    const left = (countOf.get(session.userId) ?? 1) - 1;
    if (left === 0) countOf.delete(session.userId);
    else countOf.set(session.userId, left);
    entry.onEnd(reason);
    if (sessions.size === 0) onDrained?.();
  };
  const endWhere = (condition: (session: Session) => boolean, reason: EndReason): void => {
    for (const { session } of sessions.values()) if (condition(session)) end(session, reason);
  };
  const endIfDraining = (session: Session): void => {
    if (onDrained !== undefined) end(session, 'shutdown');
  };

  return {
    get size() {
      return sessions.size;
    },
    open(opening) {
      if (onDrained !== undefined) throw new SessionLimitError('draining');
      const ofUser = countOf.get(opening.userId) ?? 0;
      if (ofUser >= maxSessionsPerUser) throw new SessionLimitError('user');
      if (sessions.size >= maxSessions) throw new SessionLimitError('server');
      const session = new Session(opening, now, endIfDraining);
      sessions.set(opening.id, { session, onEnd: opening.onEnd });
      countOf.set(opening.userId, ofUser + 1);
      return session;
    },
    find(id, userId, kind) {
      const session = sessions.get(id)?.session;
      return session?.userId === userId && session.kind === kind ? session : undefined;
    },
    end,
    endIdle: () => endWhere((session) => session.isIdle(idleMs), 'idle'),
    endRevoked: (mayContinue) => endWhere(({ userId }) => !mayContinue(userId), 'revoked'),
    drain() {
      return new Promise((resolve) => {
        onDrained = resolve;
        if (sessions.size === 0) resolve();
        endWhere(({ callsInFlight }) => callsInFlight === 0, 'shutdown');
      });
    },
  };
}

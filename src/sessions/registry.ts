/** The live sessions of this process, each with its user: their caps, their end when idle, and draining them. */

/** What counts as a session. A subscription of 2026-07-28 has no session id, but holds a stream like one. */
export type SessionKind = 'sse' | 'streamable-http' | 'subscription';

/** Why a session ends; `evicted`: it was idle and its place was needed; `cut-off`: other processes can no longer reach it. */
export type EndReason = 'closed' | 'idle' | 'evicted' | 'revoked' | 'shutdown' | 'cut-off';

/** What a session is connected to. */
export interface SessionConnection {
  /** How many requests are in flight. */
  readonly callsInFlight: number;
  /** The negotiated revision, once there is one. */
  readonly protocolVersion?: string | undefined;
  /** The MCP session, with the parameters of `initialize` where they are known. */
  readonly mcp?: { readonly handshake: { readonly params?: unknown } | undefined };
  /** Ends the session's streams and frees what it holds. Called once. */
  onEnd(reason: EndReason): void;
}

/** What is needed to open a session. */
export interface SessionOpening<Connection extends SessionConnection> {
  readonly id: string;
  readonly userId: string;
  readonly kind: SessionKind;
  /** Makes the session's connection, once there is room for it. */
  connect(session: Session): Connection;
}

/** The caps of a registry. */
export interface RegistryOptions {
  readonly maxSessions: number;
  readonly maxSessionsPerUser: number;
  readonly idleMs: number;
  readonly now?: () => number;
}

/** The error when there is no room for another session: of this user, or at all. */
export class SessionLimitError extends Error {
  override readonly name = 'SessionLimitError';
  readonly scope: 'user' | 'server' | 'draining';

  constructor(scope: 'user' | 'server' | 'draining') {
    super(`no room for another session (${scope})`);
    this.scope = scope;
  }
}

/** What the sessions of a registry share. */
interface Surroundings {
  readonly now: () => number;
  /** Called with each session whose last request has been settled. */
  readonly onSettled: (session: Session) => void;
}

/** A session: its user, and what keeps it from being idle. */
export class Session<Connection extends SessionConnection = SessionConnection> {
  readonly id: string;
  readonly userId: string;
  readonly kind: SessionKind;
  readonly connection: Connection;
  readonly #around: Surroundings;
  #streams = 0;
  #lastUsedMs: number;

  constructor(opening: SessionOpening<Connection>, around: Surroundings) {
    this.id = opening.id;
    this.userId = opening.userId;
    this.kind = opening.kind;
    this.#around = around;
    this.#lastUsedMs = around.now();
    this.connection = opening.connect(this);
  }

  /** Notes that a request has been answered or cancelled. */
  noteSettled(): void {
    this.touch();
    if (this.connection.callsInFlight === 0) this.#around.onSettled(this);
  }

  /** Notes that the session has been used. */
  touch(): void {
    this.#lastUsedMs = this.#around.now();
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

  /** How many of its streams are open. */
  get streams(): number {
    return this.#streams;
  }

  /** Whether one of its streams is open. */
  get hasStream(): boolean {
    return this.#streams > 0;
  }

  /** Whether it has no stream and no request in flight, and was last used at least this long ago. */
  isIdle(idleMs = 0): boolean {
    return (
      this.#streams === 0 &&
      this.connection.callsInFlight === 0 &&
      this.#around.now() - this.#lastUsedMs >= idleMs
    );
  }

  /** Whether it was last used before another one. */
  isOlderThan(other: Session): boolean {
    return this.#lastUsedMs < other.#lastUsedMs;
  }
}

/** The live sessions. */
export interface SessionRegistry {
  readonly size: number;
  /** All sessions, in the order of their opening. */
  all(): Iterable<Session>;
  /**
   * Opens a session and connects it. At a cap, the session that has been idle longest is evicted: many clients open one for each call and
   * never end any, and must not lock their user out.
   * @throws {SessionLimitError} when every session of the user or of the server is in use, or the server is shutting down
   */
  open<Connection extends SessionConnection>(opening: SessionOpening<Connection>): Session<Connection>;
  /** The session with this id, if it is this user's. Another user's is not found either, so that ids cannot be probed. */
  find(id: string, userId: string, kind: SessionKind): Session | undefined;
  /** Ends a session; does nothing when it has ended. */
  end(session: Session, reason: EndReason): void;
  /** Ends the sessions that have been idle for the configured time. */
  endIdle(): void;
  /** Ends the sessions of HTTP+SSE: other processes, which forward messages to them, can no longer reach this one. */
  endCutOff(): void;
  /** Ends the sessions of the users for whom `mayContinue` is false. */
  endRevoked(mayContinue: (userId: string) => boolean): void;
  /** Whether the server is shutting down: new streams are to be refused, and a session that is missing may have been ended by that. */
  readonly isDraining: boolean;
  /**
   * Ends each session with a stream as soon as its requests are settled, and resolves when no stream and no request is left. Sessions
   * without a stream delay nothing: requests that still come for them are served.
   */
  drain(): Promise<void>;
}

/** Makes an empty registry. */
export function createSessionRegistry({
  maxSessions,
  maxSessionsPerUser,
  idleMs,
  // A monotonic clock.
  now = () => performance.now(),
}: RegistryOptions): SessionRegistry {
  // Maps, never plain objects: `sessionId=__proto__` must find nothing.
  const sessions = new Map<string, Session>();
  const sessionsOf = new Map<string, Set<Session>>();
  let onDrained: (() => void) | undefined;

  const end = (session: Session, reason: EndReason): void => {
    if (sessions.get(session.id) !== session) return;
    sessions.delete(session.id);
    const ofUser = sessionsOf.get(session.userId);
    ofUser?.delete(session);
    if (ofUser?.size === 0) sessionsOf.delete(session.userId);
    session.connection.onEnd(reason);
    noteDrained();
  };
  const noteDrained = (): void => {
    if (onDrained === undefined) return;
    for (const { hasStream, connection } of sessions.values())
      if (hasStream || connection.callsInFlight > 0) return;
    onDrained();
  };
  const endWhere = (condition: (session: Session) => boolean, reason: EndReason): void => {
    for (const session of sessions.values()) if (condition(session)) end(session, reason);
  };
  /** Ends the candidate that has been idle longest; false when none is idle. */
  const evict = (candidates: Iterable<Session>): boolean => {
    let oldest: Session | undefined;
    for (const session of candidates)
      if (session.isIdle() && (oldest === undefined || session.isOlderThan(oldest))) oldest = session;
    if (oldest !== undefined) end(oldest, 'evicted');
    return oldest !== undefined;
  };
  const around: Surroundings = {
    now,
    onSettled: (session) => {
      if (onDrained === undefined) return;
      if (session.hasStream) end(session, 'shutdown');
      else noteDrained();
    },
  };

  return {
    get size() {
      return sessions.size;
    },
    all: () => sessions.values(),
    get isDraining() {
      return onDrained !== undefined;
    },
    open(opening) {
      if (onDrained !== undefined && opening.kind !== 'streamable-http')
        throw new SessionLimitError('draining');
      const { id, userId } = opening;
      const own = sessionsOf.get(userId) ?? new Set();
      if (own.size >= maxSessionsPerUser && !evict(own)) throw new SessionLimitError('user');
      if (sessions.size >= maxSessions && !evict(sessions.values())) throw new SessionLimitError('server');
      const session = new Session(opening, around);
      sessions.set(id, session);
      // An eviction may have ended the user's last one, and the set with it.
      sessionsOf.set(userId, own.add(session));
      return session;
    },
    find(id, userId, kind) {
      const session = sessions.get(id);
      return session?.userId === userId && session.kind === kind ? session : undefined;
    },
    end,
    endIdle: () => endWhere((session) => session.isIdle(idleMs), 'idle'),
    endCutOff: () => endWhere(({ kind }) => kind === 'sse', 'cut-off'),
    endRevoked(mayContinue) {
      // Users are checked, not sessions: most users have several sessions, and revocations are rare.
      const revoked = new Set([...sessionsOf.keys()].filter((userId) => !mayContinue(userId)));
      if (revoked.size > 0) endWhere(({ userId }) => revoked.has(userId), 'revoked');
    },
    drain() {
      return new Promise((resolve) => {
        endWhere(({ connection, hasStream }) => hasStream && connection.callsInFlight === 0, 'shutdown');
        onDrained = resolve;
        noteDrained();
      });
    },
  };
}

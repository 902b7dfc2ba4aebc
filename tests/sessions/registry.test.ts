/** The session registry: who owns a session, how many there may be, and when each one ends. */
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import {
  createSessionRegistry,
  type EndReason,
  type RegistryOptions,
  type Session,
  type SessionConnection,
  type SessionKind,
  SessionLimitError,
  type SessionRegistry,
} from '../../src/sessions/registry.ts';

/** A connection whose calls begin and end when a test says so. */
class FakeConnection implements SessionConnection {
  readonly onEnd: (reason: EndReason) => void;
  readonly #session: Session;
  callsInFlight = 0;

  constructor(session: Session, onEnd: (reason: EndReason) => void) {
    this.#session = session;
    this.onEnd = onEnd;
  }

  /** A call begins. */
  begin(): void {
    this.callsInFlight += 1;
  }

  /** A call has been answered. */
  settle(): void {
    this.callsInFlight -= 1;
    this.#session.noteSettled();
  }
}

/** The options of a session. */
interface Opening {
  readonly userId?: string;
  readonly kind?: SessionKind;
  readonly onEnd?: (reason: EndReason) => void;
}

/** A registry with a clock of its own. */
interface Fixture {
  readonly registry: SessionRegistry;
  /** The sessions that have ended, in order. */
  readonly ended: { readonly id: string; readonly reason: EndReason }[];
  /** Opens a session. */
  open(id: string, opening?: Opening): Session<FakeConnection>;
  /** Moves the clock on. */
  pass(ms: number): void;
}

/** Options with which every session holds a stream, so that none is idle. */
function createBusyFixture(options: Partial<RegistryOptions> = {}): Fixture {
  const fixture = createFixture(options);
  return {
    ...fixture,
    open: (id, opening) => {
      const session = fixture.open(id, opening);
      session.holdStream();
      return session;
    },
  };
}

/** Makes an empty registry. */
function createFixture(options: Partial<RegistryOptions> = {}): Fixture {
  let nowMs = 1_000_000;
  const registry = createSessionRegistry({
    maxSessions: 100,
    maxSessionsPerUser: 10,
    idleMs: 1000,
    now: () => nowMs,
    ...options,
  });
  const ended: { id: string; reason: EndReason }[] = [];
  return {
    registry,
    ended,
    open: (id, { userId = 'ada', kind = 'streamable-http', onEnd } = {}) =>
      registry.open({
        id,
        userId,
        kind,
        connect: (session) =>
          new FakeConnection(session, onEnd ?? ((reason) => void ended.push({ id, reason }))),
      }),
    pass: (ms) => {
      nowMs += ms;
    },
  };
}

/** Why a session cannot be opened. */
function refusalOf(open: () => unknown): string {
  try {
    open();
  } catch (error) {
    if (error instanceof SessionLimitError) return error.scope;
    throw error;
  }
  return 'opened';
}

describe('a session', () => {
  test('is found by its id, its user and its kind', () => {
    const { registry, open } = createFixture();

    const session = open('s1');

    expect(registry.find('s1', 'ada', 'streamable-http')).toBe(session);
    expect(registry.size).toBe(1);
  });

  test.each([
    { what: 'an unknown id', id: 's2', userId: 'ada', kind: 'sse' },
    { what: "somebody else's", id: 's1', userId: 'bob', kind: 'sse' },
    { what: 'that of another transport', id: 's1', userId: 'ada', kind: 'streamable-http' },
    { what: 'no id', id: '', userId: 'ada', kind: 'sse' },
  ] as const)('is not found for $what', ({ id, userId, kind }) => {
    const { registry, open } = createFixture();

    open('s1', { kind: 'sse' });

    expect(registry.find(id, userId, kind)).toBeUndefined();
  });

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'is not found for the id %s',
    (id) => {
      const { registry, open } = createFixture();

      open('s1');

      expect(registry.find(id, 'ada', 'streamable-http')).toBeUndefined();
    },
  );

  test('may belong to a user called __proto__, with the same limits as any user', () => {
    const { registry, open } = createBusyFixture({ maxSessionsPerUser: 1 });

    const session = open('s1', { userId: '__proto__' });

    expect(registry.find('s1', '__proto__', 'streamable-http')).toBe(session);
    expect(refusalOf(() => open('s2', { userId: '__proto__' }))).toBe('user');
    expect(refusalOf(() => open('s3', { userId: 'constructor' }))).toBe('opened');
  });

  test('is not found once it has ended, and its end is reported once', () => {
    const { registry, open, ended } = createFixture();
    const session = open('s1');

    registry.end(session, 'closed');
    registry.end(session, 'revoked');

    expect(registry.find('s1', 'ada', 'streamable-http')).toBeUndefined();
    expect(ended).toEqual([{ id: 's1', reason: 'closed' }]);
    expect(registry.size).toBe(0);
  });

  test('that has ended does not end a later session with its id', () => {
    const { registry, open, ended } = createFixture();
    const first = open('s1');
    registry.end(first, 'closed');
    const second = open('s1');

    registry.end(first, 'closed');

    expect(registry.find('s1', 'ada', 'streamable-http')).toBe(second);
    expect(ended).toHaveLength(1);
  });

  test('may be ended again by the handler of its end', () => {
    const { registry, open } = createFixture();
    const reasons: EndReason[] = [];
    const session: Session = open('s1', {
      onEnd: (reason) => {
        reasons.push(reason);
        registry.end(session, 'closed');
      },
    });

    registry.end(session, 'idle');

    expect(reasons).toEqual(['idle']);
  });
});

describe('the limits', () => {
  test('refuse one more session of the same user, but not of another user', () => {
    const { open } = createBusyFixture({ maxSessionsPerUser: 2 });
    open('s1');
    open('s2', { kind: 'sse' });

    expect(refusalOf(() => open('s3', { kind: 'subscription' }))).toBe('user');
    expect(refusalOf(() => open('s4', { userId: 'bob' }))).toBe('opened');
  });

  test('refuse one more session in total', () => {
    const { open, registry } = createBusyFixture({ maxSessions: 2 });
    open('s1');
    open('s2', { userId: 'bob' });

    expect(refusalOf(() => open('s3', { userId: 'eve' }))).toBe('server');
    expect(registry.size).toBe(2);
  });

  test("report the user's own limit when both are reached", () => {
    const { open } = createBusyFixture({ maxSessions: 1, maxSessionsPerUser: 1 });
    open('s1');

    expect(refusalOf(() => open('s2'))).toBe('user');
    expect(refusalOf(() => open('s2', { userId: 'bob' }))).toBe('server');
  });

  test('have room again after an end of any kind', () => {
    const { open, registry, pass } = createFixture({ maxSessions: 1, maxSessionsPerUser: 1 });
    const ends: ((session: Session) => void)[] = [
      (session) => registry.end(session, 'closed'),
      () => {
        pass(1000);
        registry.endIdle();
      },
      () => registry.endRevoked(() => false),
    ];

    for (const [index, end] of ends.entries()) end(open(`s${index}`));

    expect(refusalOf(() => open('last'))).toBe('opened');
  });

  test('do not count a session that was refused', () => {
    const { open, registry } = createBusyFixture({ maxSessionsPerUser: 1 });
    const session = open('s1');
    refusalOf(() => open('s2'));

    registry.end(session, 'closed');

    expect(refusalOf(() => open('s3'))).toBe('opened');
  });

  test('hold for any order of opening and ending', () => {
    const step = fc.record({ user: fc.constantFrom('ada', 'bob', '__proto__'), opens: fc.boolean() });

    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const { open, registry } = createBusyFixture({ maxSessions: 5, maxSessionsPerUser: 3 });
        const alive: Session[] = [];

        const expected: string[] = [];
        const outcomes: string[] = [];
        for (const [index, { user, opens }] of steps.entries()) {
          const own = alive.filter(({ userId }) => userId === user);
          if (opens) {
            expected.push(own.length >= 3 ? 'user' : alive.length >= 5 ? 'server' : 'opened');
            outcomes.push(refusalOf(() => alive.push(open(`s${index}`, { userId: user }))));
          } else if (own[0] !== undefined) {
            registry.end(own[0], 'closed');
            alive.splice(alive.indexOf(own[0]), 1);
          }
        }

        expect(outcomes).toEqual(expected);
        expect(registry.size).toBe(alive.length);
      }),
    );
  });
});

describe('at a limit', () => {
  test('the session of the user that has been idle longest makes room, and no other', () => {
    const { open, registry, ended, pass } = createFixture({ maxSessionsPerUser: 3 });
    open('bobs', { userId: 'bob' });
    open('streaming').holdStream();
    const oldest = open('oldest');
    pass(1);
    open('younger');
    pass(1);
    oldest.touch();

    open('one more');

    expect(ended).toEqual([{ id: 'younger', reason: 'evicted' }]);
    expect(registry.size).toBe(4);
  });

  test('a session with a call in flight is never evicted', () => {
    const { open, ended } = createFixture({ maxSessionsPerUser: 1 });
    const calling = open('calling');
    calling.connection.begin();

    expect(refusalOf(() => open('refused'))).toBe('user');
    calling.connection.settle();

    expect(refusalOf(() => open('next'))).toBe('opened');
    expect(ended).toEqual([{ id: 'calling', reason: 'evicted' }]);
  });

  test('in total, the session that has been idle longest makes room, whoever owns it', () => {
    const { open, registry, ended, pass } = createFixture({ maxSessions: 2 });
    open('adas');
    pass(1);
    open('bobs', { userId: 'bob' });

    open('eves', { userId: 'eve' });
    open('eves second', { userId: 'eve' });

    expect(ended.map(({ id }) => id)).toEqual(['adas', 'bobs']);
    expect(registry.size).toBe(2);
  });

  test('a user whose only session was evicted is counted from zero', () => {
    const { open, registry } = createFixture({ maxSessionsPerUser: 1 });
    for (let index = 0; index < 50; index += 1) open(`s${index}`);

    const last = registry.find('s49', 'ada', 'streamable-http');
    if (last !== undefined) registry.end(last, 'closed');

    expect(registry.size).toBe(0);
    expect(refusalOf(() => open('again'))).toBe('opened');
  });
});

describe('an idle session', () => {
  test('ends after the idle time without use, and not before', () => {
    const { registry, open, ended, pass } = createFixture();
    open('s1');

    pass(999);
    registry.endIdle();
    const before = [...ended];
    pass(1);
    registry.endIdle();

    expect(before).toEqual([]);
    expect(ended).toEqual([{ id: 's1', reason: 'idle' }]);
  });

  test.each<{ sign: string; use: (session: Session<FakeConnection>, pass: (ms: number) => void) => void }>([
    { sign: 'a request', use: (session) => session.touch() },
    {
      sign: 'a stream that has closed',
      use: (session, pass) => {
        const release = session.holdStream();
        pass(5000);
        release();
      },
    },
    {
      sign: 'an answered call',
      use: (session, pass) => {
        session.connection.begin();
        pass(5000);
        session.connection.settle();
      },
    },
  ])('has its time begin anew with $sign', ({ use }) => {
    const { registry, open, ended, pass } = createFixture();
    const session = open('s1');
    pass(900);
    use(session, pass);

    pass(999);
    registry.endIdle();
    const before = [...ended];
    pass(1);
    registry.endIdle();

    expect(before).toEqual([]);
    expect(ended).toHaveLength(1);
  });

  test('is not one with an open stream, however long it is silent', () => {
    const { registry, open, ended, pass } = createFixture();
    const session = open('s1');
    const releases = [session.holdStream(), session.holdStream()];

    pass(1_000_000);
    registry.endIdle();
    releases[0]?.();
    // Closing one stream twice must not count for the other.
    releases[0]?.();
    pass(1_000_000);
    registry.endIdle();
    const before = [...ended];
    releases[1]?.();
    pass(999);
    registry.endIdle();
    const soonAfter = [...ended];
    pass(1);
    registry.endIdle();

    expect([before, soonAfter]).toEqual([[], []]);
    expect(ended).toEqual([{ id: 's1', reason: 'idle' }]);
  });

  test('is not one with a call in flight, however long it takes', () => {
    const { registry, open, ended, pass } = createFixture();
    const session = open('s1');
    session.connection.begin();
    session.connection.begin();
    session.connection.settle();

    pass(1_000_000);
    registry.endIdle();
    const during = [...ended];
    session.connection.settle();
    pass(1000);
    registry.endIdle();

    expect(during).toEqual([]);
    expect(ended).toEqual([{ id: 's1', reason: 'idle' }]);
  });

  test('ends without affecting sessions in use', () => {
    const { registry, open, ended, pass } = createFixture();
    open('idle 1');
    open('idle 2', { userId: 'bob' });
    open('streaming').holdStream();
    open('calling').connection.begin();
    pass(500);
    open('young');
    pass(500);

    registry.endIdle();

    expect(ended.map(({ id }) => id)).toEqual(['idle 1', 'idle 2']);
    expect(registry.size).toBe(3);
  });
});

describe('revocation', () => {
  test('ends every session of the users who may not continue, in use or not, and no other', () => {
    const { registry, open, ended } = createFixture();
    open('ada 1').holdStream();
    open('bob 1', { userId: 'bob' });
    open('ada 2', { kind: 'sse' }).connection.begin();

    registry.endRevoked((userId) => userId !== 'ada');

    expect(ended).toEqual([
      { id: 'ada 1', reason: 'revoked' },
      { id: 'ada 2', reason: 'revoked' },
    ]);
    expect(registry.find('bob 1', 'bob', 'streamable-http')).toBeDefined();
  });
});

describe('draining', () => {
  test('of no session resolves at once', async () => {
    await expect(createFixture().registry.drain()).resolves.toBeUndefined();
  });

  test('refuses new streams, also when there is room, and opens sessions without a stream', () => {
    const { registry, open } = createFixture();

    void registry.drain();

    expect(registry.isDraining).toBe(true);
    expect(refusalOf(() => open('s1', { kind: 'sse' }))).toBe('draining');
    expect(refusalOf(() => open('s2', { kind: 'subscription' }))).toBe('draining');
    expect(open('s3').id).toBe('s3');
  });

  test('ends streams without calls at once, others with their last answer, and is not held up by sessions without either', async () => {
    const { registry, open, ended } = createFixture();
    const busy = open('busy');
    open('quiet');
    open('streaming', { kind: 'sse' }).holdStream();
    const other = open('other', { userId: 'bob' });
    busy.holdStream();
    other.holdStream();
    busy.connection.begin();
    busy.connection.begin();
    other.connection.begin();

    const drained = registry.drain();
    const atOnce = ended.map(({ id }) => id);
    busy.connection.settle();
    const afterOne = ended.length;
    other.connection.settle();
    busy.connection.settle();
    await drained;

    expect(atOnce).toEqual(['streaming']);
    expect(afterOne).toBe(1);
    expect(ended.slice(1).map(({ id }) => id)).toEqual(['other', 'busy']);
    expect(new Set(ended.map(({ reason }) => reason))).toEqual(new Set(['shutdown']));
    expect(registry.find('quiet', 'ada', 'streamable-http')).toBeDefined();
    expect(registry.size).toBe(1);
  });

  test('does not resolve before the last session has ended', async () => {
    const { registry, open } = createFixture();
    const session = open('busy');
    session.connection.begin();
    let resolved = false;

    const drained = registry.drain().then(() => (resolved = true));
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    const early = resolved;
    session.connection.settle();
    await drained;

    expect(early).toBe(false);
  });

  test('keeps a session with calls accessible, so that they can be cancelled or answered', () => {
    const { registry, open } = createFixture();
    const session = open('busy');
    session.connection.begin();

    void registry.drain();

    expect(registry.find('busy', 'ada', 'streamable-http')).toBe(session);
  });

  test('resolves also when the last client closes its session itself', async () => {
    const { registry, open, ended } = createFixture();
    const session = open('busy');
    session.connection.begin();

    const drained = registry.drain();
    registry.end(session, 'closed');
    await drained;

    expect(ended).toEqual([{ id: 'busy', reason: 'closed' }]);
  });
});

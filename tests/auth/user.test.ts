/** The user context: deeply frozen, made from copies, and the check of scopes. */
import { describe, expect, test } from '@jest/globals';
import { ANONYMOUS, createUserContext, hasScope } from '../../src/auth/user.ts';

describe('a user context', () => {
  test('is frozen at every level', () => {
    const user = createUserContext({
      userId: 'ada',
      scopes: ['greet'],
      metadata: { team: { members: ['bob'] } },
    });

    const attempts = [
      () => Object.assign(user, { userId: 'eve' }),
      () => Object.assign(user, { token: 'tok_0123456789' }),
      () => (user.scopes as string[]).push('admin'),
      () => Object.assign(user.metadata, { admin: true }),
      () => (user.metadata as { team: { members: string[] } }).team.members.push('eve'),
    ];

    for (const attempt of attempts) expect(attempt).toThrow(/read only|not extensible/);
    expect(user).toEqual({
      userId: 'ada',
      name: 'ada',
      scopes: ['greet'],
      metadata: { team: { members: ['bob'] } },
    });
  });

  test('is made from copies: later changes of its input do not affect it, and the input is not frozen', () => {
    const scopes = ['greet'];
    const metadata = { team: ['bob'] };
    const user = createUserContext({ userId: 'ada', scopes, metadata });

    scopes.push('admin');
    metadata.team.push('eve');

    expect(user.scopes).toEqual(['greet']);
    expect(user.metadata).toEqual({ team: ['bob'] });
  });

  test('has the user id as name, no scopes and empty metadata by default', () => {
    const user = createUserContext({ userId: 'ada' });

    expect(user).toStrictEqual({ userId: 'ada', name: 'ada', metadata: {} });
  });

  test('keeps an empty list of scopes, which grants no scope', () => {
    const user = createUserContext({ userId: 'ada', scopes: [] });

    expect(user.scopes).toEqual([]);
    expect(hasScope(user, 'greet')).toBe(false);
  });
});

describe('a scope', () => {
  test.each([
    { scopes: undefined, wanted: undefined, granted: true },
    { scopes: undefined, wanted: 'greet', granted: true },
    { scopes: [], wanted: undefined, granted: true },
    { scopes: [], wanted: 'greet', granted: false },
    { scopes: ['greet'], wanted: 'greet', granted: true },
    { scopes: ['greet'], wanted: 'Greet', granted: false },
    { scopes: ['greet'], wanted: 'gree', granted: false },
    { scopes: ['greet', 'echo'], wanted: 'echo', granted: true },
  ])('$wanted is granted to the scopes $scopes: $granted', ({ scopes, wanted, granted }) => {
    const user = createUserContext({ userId: 'ada', scopes });

    expect(hasScope(user, wanted)).toBe(granted);
  });
});

test('the anonymous user is frozen, has a name and every scope', () => {
  expect(Object.isFrozen(ANONYMOUS)).toBe(true);
  expect(ANONYMOUS).toStrictEqual({ userId: 'anonymous', name: 'Anonymous', metadata: {} });
  expect(hasScope(ANONYMOUS, 'anything')).toBe(true);
});

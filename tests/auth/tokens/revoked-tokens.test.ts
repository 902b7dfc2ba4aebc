/** The memory of revoked tokens is bounded and holds no token. */
import { expect, test } from '@jest/globals';
import { digestToken } from '../../../src/auth/digest.ts';
import { RevokedTokens } from '../../../src/auth/tokens/revoked-tokens.ts';
import { createUserContext } from '../../../src/auth/user.ts';

const UNKNOWN = { ok: false, reason: 'unknown' } as const;

/** The entry of a token. */
const entryOf = (token: string) => ({
  digest: digestToken(token),
  user: createUserContext({ userId: 'ada' }),
  disabled: false,
});

test('the last 10,000 revoked tokens are remembered', () => {
  const revoked = new RevokedTokens();
  revoked.note([entryOf('first'), entryOf('second')], 0);
  revoked.note(
    Array.from({ length: 9_999 }, (_value, index) => entryOf(`${index}`)),
    0,
  );

  const reasons = ['first', 'second', '9998'].map((token) => revoked.explain(token, UNKNOWN));

  expect(reasons).toMatchObject([UNKNOWN, { reason: 'revoked' }, { reason: 'revoked' }]);
});

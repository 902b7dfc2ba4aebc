/** A verifier that takes long: who goes away meanwhile is not let in, since nothing would end what is opened then. */
import { expect, test } from '@jest/globals';
import { createAuthenticator } from '../../../src/auth/authenticate.ts';
import { ANONYMOUS } from '../../../src/auth/user.ts';
import type { Verification } from '../../../src/auth/verifier.ts';
import type { RequestContext } from '../../../src/http/context.ts';
import { requireBearer } from '../../../src/http/gate/bearer-auth.ts';

test.each([
  ['one that has gone is not', true, 0],
  ['one that waits is', false, 1],
])('of its clients %s let in', async (_what, goes, admitted) => {
  const answers: ((verification: Verification) => void)[] = [];
  const verification = new Promise<Verification>((resolve) => {
    answers.push(resolve);
  });
  const authenticator = createAuthenticator({
    verify: async () => verification,
    isCurrent: () => true,
    hasValidToken: () => true,
  });
  const res = { destroyed: false };
  const req = { headers: { authorization: 'Bearer tok_slow' } };
  const ctx = { req, res, state: {} } as unknown as RequestContext;
  let entered = 0;

  const passing = Promise.resolve(
    requireBearer(authenticator, () => undefined)(ctx, () => {
      entered += 1;
    }),
  ).catch((error: unknown) => error);
  res.destroyed = goes;
  for (const answer of answers) answer({ ok: true, grant: { user: ANONYMOUS } });
  await passing;

  expect(entered).toBe(admitted);
});

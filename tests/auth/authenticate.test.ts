/** From request headers to a grant or a refusal, with authentication on and off. */
import { describe, expect, test } from '@jest/globals';
import { type Authenticator, createAuthenticator } from '../../src/auth/authenticate.ts';
import { parseTokens } from '../../src/auth/tokens/parse-tokens.ts';
import { createTokenSet } from '../../src/auth/tokens/token-set.ts';
import { createUserContext } from '../../src/auth/user.ts';
import type { Grant, TokenVerifier } from '../../src/auth/verifier.ts';

const FILE = {
  tok_ada: { userId: 'ada', name: 'Ada' },
  tok_expired: { userId: 'old', expiresAt: '2020-01-01' },
  tok_early: { userId: 'soon', notBefore: '2999-01-01' },
  tok_disabled: { userId: 'off', disabled: true },
};

/** An authenticator of the tokens above. */
function authenticatorOf(file: object = FILE): Authenticator {
  return createAuthenticator(createTokenSet(parseTokens(JSON.stringify(file))));
}

/** The refusal of this value of the Authorization header. */
async function refusalOf(authorization: string | undefined) {
  const headers = authorization === undefined ? {} : { authorization };
  const authentication = await authenticatorOf().authenticate(headers);
  if (authentication.ok) throw new Error('The credential was accepted.');
  return authentication.refusal;
}

describe('with authentication on', () => {
  test.each(['authorization', 'x-api-key', 'x-auth-token'])(
    'a valid token in %s yields its grant',
    async (name) => {
      const value = name === 'authorization' ? 'Bearer tok_ada' : 'tok_ada';

      const authentication = await authenticatorOf().authenticate({ [name]: value });

      expect(authentication).toMatchObject({
        ok: true,
        grant: { user: { userId: 'ada', name: 'Ada' }, tokenId: expect.stringMatching(/^[0-9a-f]{8}$/) },
      });
    },
  );

  test.each([
    { sent: undefined, reason: 'missing', words: 'Authorization: Bearer <token>' },
    { sent: 'Basic dXNlcjpwYXNz', reason: 'missing', words: 'No credential was sent' },
    { sent: 'tok_ada', reason: 'malformed', words: "must read 'Bearer <token>'" },
    { sent: 'Bearer tok_nobody', reason: 'unknown', words: 'unknown to this server' },
    { sent: 'Bearer YOUR_TOKEN', reason: 'malformed', words: 'placeholder of an example' },
    { sent: 'Bearer your-token-here', reason: 'malformed', words: 'placeholder of an example' },
    { sent: 'Bearer mcp_...', reason: 'malformed', words: 'placeholder of an example' },
    { sent: 'Bearer mcp_xxxxxx', reason: 'malformed', words: 'placeholder of an example' },
    { sent: 'Bearer my_0123456789abcdef', reason: 'unknown', words: 'unknown to this server' },
    { sent: 'Bearer tok_expired', reason: 'expired', words: 'has expired' },
    { sent: 'Bearer tok_early', reason: 'not_yet_valid', words: 'not valid yet' },
    { sent: 'Bearer tok_disabled', reason: 'disabled', words: 'has been disabled' },
  ])('$sent is refused as $reason: $words', async ({ sent, reason, words }) => {
    const refusal = await refusalOf(sent);

    expect(refusal.reason).toBe(reason);
    expect(refusal.description).toContain(words);
  });

  test('refusals have distinct descriptions that fit into a quoted header parameter', async () => {
    const sent = [
      undefined,
      'tok_ada',
      'Bearer',
      'Bearer Bearer tok_ada',
      'Bearer "tok_ada"',
      'Bearer ${TOKEN}',
      'Bearer tok ada',
      'Bearer tok_nobody',
      'Bearer tok_expired',
      'Bearer tok_early',
      'Bearer tok_disabled',
    ];

    const descriptions = await Promise.all(sent.map(async (value) => (await refusalOf(value)).description));

    expect(new Set(descriptions).size).toBe(sent.length);
    // RFC 6750, section 3: no quotes, no backslashes, nothing but printable ASCII.
    for (const description of descriptions) expect(description).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
    expect(descriptions.join()).not.toContain('tok_');
  });

  test('the verifier gets the token without spaces around it, and may be asynchronous', async () => {
    const asked: string[] = [];
    const grant: Grant = { user: createUserContext({ userId: 'remote' }) };
    const verifier: TokenVerifier = {
      verify: async (token) => {
        asked.push(token);
        return { ok: true, grant };
      },
      isCurrent: () => true,
      hasValidToken: () => true,
    };

    const authentication = await createAuthenticator(verifier).authenticate({ 'x-api-key': ' tok_far ' });

    expect(authentication).toEqual({ ok: true, grant });
    expect(asked).toEqual(['tok_far']);
  });

  test('the verifier is not called for a malformed credential', async () => {
    const verifier: TokenVerifier = {
      verify: () => {
        throw new Error('asked');
      },
      isCurrent: () => false,
      hasValidToken: () => false,
    };

    const authentication = await createAuthenticator(verifier).authenticate({ authorization: 'Bearer "x"' });

    expect(authentication.ok).toBe(false);
  });

  test('a grant is current, and its user may continue, as long as the verifier says so', async () => {
    const authenticator = authenticatorOf();
    const found = await authenticator.authenticate({ authorization: 'Bearer tok_ada' });
    if (!found.ok) throw new Error('refused');

    const without = authenticatorOf({ tok_bob: { userId: 'bob' } });

    expect([authenticator.isCurrent(found.grant), authenticator.mayContinue('ada')]).toEqual([true, true]);
    expect([without.isCurrent(found.grant), without.mayContinue('ada')]).toEqual([false, false]);
    expect(authenticator.enabled).toBe(true);
  });
});

describe('with authentication off', () => {
  test.each([{}, { authorization: 'Bearer tok_ada' }, { authorization: 'nonsense' }, { 'x-api-key': '' }])(
    'every caller is the same frozen user, whatever is sent: %j',
    async (headers) => {
      const authentication = await createAuthenticator(undefined).authenticate(headers);

      expect(authentication).toStrictEqual({
        ok: true,
        grant: { user: { userId: 'anonymous', name: 'Anonymous', metadata: {} } },
      });
      expect(Object.isFrozen(authentication.ok && authentication.grant)).toBe(true);
    },
  );

  test('every stream and session may continue', async () => {
    const authenticator = createAuthenticator(undefined);

    const grant = { user: createUserContext({ userId: 'anybody' }) };

    expect(authenticator.enabled).toBe(false);
    expect(authenticator.isCurrent(grant)).toBe(true);
    expect(authenticator.mayContinue('anybody')).toBe(true);
  });
});

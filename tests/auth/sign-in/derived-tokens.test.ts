/** Tokens of a sign-in at another process of the server: each process can judge a grant of the other without having seen the token. */
import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { digestToken } from '../../../src/auth/digest.ts';
import { withDerivedTokens } from '../../../src/auth/sign-in/derived-tokens.ts';
import { createFamilies } from '../../../src/auth/sign-in/families.ts';
import { createJudge, type Judge } from '../../../src/auth/sign-in/judge.ts';
import { createSealedValues } from '../../../src/auth/sign-in/sealed-values.ts';
import { createTokenSet } from '../../../src/auth/tokens/token-set.ts';
import { createUserContext } from '../../../src/auth/user.ts';
import type { TokenVerifier } from '../../../src/auth/verifier.ts';
import { readCaller, spellCaller } from '../../../src/http/transports/peer-callers.ts';
import { createSealer } from '../../../src/sealed.ts';

const TOKEN = 'tok_ada_0123456789';
const ISSUER = 'https://my-app.example';
const NOW_MS = Date.parse('2026-06-01T12:00:00Z');
const SECRET = randomBytes(32).toString('base64url');

/** A process: its verifier, and its sealed values. */
function startProcess(
  clock: { nowMs: number },
  { userId = 'ada', signInsSinceMs }: { userId?: string; signInsSinceMs?: number } = {},
) {
  const user = createUserContext({ userId });
  const entry = { digest: digestToken(TOKEN), user, disabled: false, signInsSinceMs };
  const now = () => clock.nowMs;
  const tokens = createTokenSet([entry], now);
  const values = createSealedValues(createSealer([SECRET]));
  const families = createFamilies(now);
  const judge = createJudge({ lookUp: (digest) => tokens.lookUp(digest), families, now });
  return { values, verifier: withDerivedTokens({ tokens, values, judge, issuerOf: () => ISSUER }) };
}

test('a grant from another process is valid as long as the sign-in, if the entry belongs to the same user', async () => {
  const clock = { nowMs: NOW_MS };
  const [here, there, signedOut, ofAnother] = [
    startProcess(clock),
    startProcess(clock),
    startProcess(clock, { signInsSinceMs: NOW_MS + 1 }),
    startProcess(clock, { userId: 'bob' }),
  ];
  const token = here.values.seal('access', {
    digest: digestToken(TOKEN),
    client: 'c',
    family: 'f',
    scopes: undefined,
    wantsOffline: false,
    issuer: ISSUER,
    issuedAtMs: NOW_MS,
    expiresAtMs: NOW_MS + 1_000,
  });
  const verification = await here.verifier.verify(token);
  if (!verification.ok) throw new Error(verification.reason);
  const { grant } = verification;

  const spelled = JSON.stringify(spellCaller({ user: grant.user, grant, transport: 'sse', requestId: 'r' }));
  const passed = readCaller(JSON.parse(spelled) as ReturnType<typeof spellCaller>).grant;
  const verdicts = [there, signedOut, ofAnother].map(({ verifier }) => verifier.isCurrent(passed));
  clock.nowMs += 1_000;

  expect(verdicts).toEqual([true, false, false]);
  expect(there.verifier.isCurrent(passed)).toBe(false);
  expect(JSON.stringify(grant)).not.toContain(digestToken(TOKEN));
});

/** Refuses every token of a sign-in. */
const refuse: Judge = () => ({ ok: false, by: 'entry', refused: { ok: false, reason: 'revoked' } });

test("a token that is not of a sign-in is passed to the verifier with the client's network, which limits lookups", async () => {
  const networks: (string | undefined)[] = [];
  const tokens: TokenVerifier = {
    ...createTokenSet([]),
    verify(_token, _headers, networkOf) {
      networks.push(networkOf?.());
      return { ok: false, reason: 'unknown' };
    },
  };
  const values = createSealedValues(createSealer([SECRET]));
  const verifier = withDerivedTokens({ tokens, values, judge: refuse, issuerOf: () => ISSUER });

  for (const token of [TOKEN, 'mcp_at_by_chance']) await verifier.verify(token, {}, () => '192.0.2.7');

  expect(networks).toEqual(['192.0.2.7', '192.0.2.7']);
});

/** Tokens that go out of reach and come back, as those of a database are for a server that starts without it. */
import { parseTokens } from '../../src/auth/tokens/parse-tokens.ts';
import { createTokenSet } from '../../src/auth/tokens/token-set.ts';
import type { TokenVerifier } from '../../src/auth/verifier.ts';
import { TOKENS, type TokenFileContent } from './start-server.ts';

/** A verifier of such tokens. */
export interface TokensOutOfReach extends TokenVerifier {
  /** While it is true, nobody can tell about any token. */
  isAway: boolean;
}

/** Makes the verifier; its tokens are within reach until a test says otherwise. */
export function createTokensOutOfReach(content: TokenFileContent = TOKENS): TokensOutOfReach {
  const known = createTokenSet(parseTokens(JSON.stringify(content)));
  const tokens: TokensOutOfReach = {
    isAway: false,
    verify: (token) => (tokens.isAway ? { ok: false, reason: 'unavailable' } : known.verify(token)),
    lookUp: (digest) => (tokens.isAway ? 'unavailable' : known.lookUp(digest)),
    isCurrent: (grant) => known.isCurrent(grant),
    hasValidToken: (userId) => known.hasValidToken(userId),
    isReady: () => !tokens.isAway,
  };
  return tokens;
}

/** Tokens that cannot be verified for a while, as those of a database that is away. */
import { parseTokens } from '../../src/auth/tokens/parse-tokens.ts';
import { createTokenSet } from '../../src/auth/tokens/token-set.ts';
import type { TokenVerifier } from '../../src/auth/verifier.ts';
import { TOKENS, type TokenFileContent } from './start-server.ts';

/** A verifier of such tokens. */
export interface TokensOutOfReach extends TokenVerifier {
  /** While it is true, no token can be verified. */
  isAway: boolean;
}

/** Makes the verifier; its tokens can be verified until a test says otherwise. */
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

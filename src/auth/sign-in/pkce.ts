/** Proof Key for Code Exchange (RFC 7636), of which S256 alone is taken: `plain` hands the proof out with the question. */
import { hash, timingSafeEqual } from 'node:crypto';

/** Whether a text can be a challenge: SHA-256 in base64url. */
export function isChallenge(text: string): boolean {
  return /^[\w-]{43}$/.test(text);
}

/** Whether a text can be a verifier (section 4.1). */
export function isVerifier(text: string): boolean {
  return /^[\w.~-]{43,128}$/.test(text);
}

/** Whether the verifier is what the challenge was made of. */
export function provesChallenge(verifier: string, challenge: string): boolean {
  const found = hash('sha256', verifier, 'base64url');
  return found.length === challenge.length && timingSafeEqual(Buffer.from(found), Buffer.from(challenge));
}

/** Proof Key for Code Exchange (RFC 7636). Only S256 is accepted: with `plain`, the authorization request itself would hold the proof. */
import { hash, timingSafeEqual } from 'node:crypto';

/** Whether a text can be a challenge: SHA-256 in base64url. */
export function isChallenge(text: string): boolean {
  return /^[\w-]{43}$/.test(text);
}

/** Whether a text can be a verifier (section 4.1). */
export function isVerifier(text: string): boolean {
  return /^[\w.~-]{43,128}$/.test(text);
}

/** Whether the challenge was made from the verifier. */
export function provesChallenge(verifier: string, challenge: string): boolean {
  const found = hash('sha256', verifier, 'base64url');
  return found.length === challenge.length && timingSafeEqual(Buffer.from(found), Buffer.from(challenge));
}

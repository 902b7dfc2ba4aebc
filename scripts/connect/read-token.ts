/** Reads the token that goes into a configuration, and refuses one that no server would accept. */
import { readCredential } from '../../src/auth/credential.ts';
import { CommandError, EXIT } from '../token/command-error.ts';
import { readSecret } from '../token/read-secret.ts';

/**
 * Reads the token from standard input.
 * @throws {CommandError} when there is none, or it cannot be a token
 */
export async function readToken(): Promise<string> {
  const token = await readSecret();
  const credential = readCredential({ authorization: `Bearer ${token}` });
  if (credential.kind === 'malformed') throw new CommandError(EXIT.usage, credential.hint);
  return token;
}

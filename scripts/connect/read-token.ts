/** Reads the token that goes into a configuration, and refuses what no server would take. */
import { readCredential } from '../../src/auth/credential.ts';
import { CommandError, EXIT } from '../token/command-error.ts';
import { readSecret } from '../token/read-secret.ts';

/**
 * The token on standard input.
 * @throws {CommandError} when there is none, or when it cannot be one
 */
export async function readToken(): Promise<string> {
  const token = await readSecret();
  const credential = readCredential({ authorization: `Bearer ${token}` });
  if (credential.kind === 'malformed') throw new CommandError(EXIT.usage, credential.hint);
  return token;
}

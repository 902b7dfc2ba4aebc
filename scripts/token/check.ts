/** `check`: what the token on standard input is. */
import { readCredential } from '../../src/auth/credential.ts';
import { readEntries } from './token-edit.ts';
import { digestToken } from '../../src/auth/digest.ts';
import { EXIT, type ExitCode } from './command-error.ts';
import type { CommandContext } from './context.ts';
import { describeEntry, type EntryFacts, printable } from './entries.ts';
import { formatScopes } from './list.ts';
import { readSecret } from './read-secret.ts';

/** Reads the token, says what it is, and returns whether it is valid by the exit code. */
export async function check({ line, now, print, store }: CommandContext): Promise<ExitCode> {
  const entries = readEntries(await store.read());
  const token = await readSecret();
  const hint = faultOf(token);
  const entry = entries.find(({ digest }) => digest === digestToken(token));
  const facts = entry === undefined || hint !== undefined ? undefined : describeEntry(entry, now());
  if (line.json)
    print(JSON.stringify(facts ?? { state: hint === undefined ? 'unknown' : 'malformed' }, null, 2));
  else if (facts !== undefined) print(formatFacts(facts));
  else print(hint ?? `The token is unknown to ${store.name}. Check that it was copied whole.`);
  return facts?.state === 'valid' ? EXIT.done : EXIT.noSuchToken;
}

/** What is wrong with a token's form, in the words in which the server would say it. */
function faultOf(token: string): string | undefined {
  if (/^sha256:[0-9a-f]{64}$/i.test(token)) return 'That is the digest of a token, not the token.';
  const credential = readCredential({ authorization: `Bearer ${token}` });
  return credential.kind === 'malformed' ? credential.hint : undefined;
}

/** An entry in lines. */
function formatFacts(facts: EntryFacts): string {
  const { id, userId, name, scopes, created, notBefore, expiresAt, state, note } = facts;
  const rows: readonly (readonly [string, string | null])[] = [
    ['token', id],
    ['state', state],
    ['user', userId],
    ['name', name],
    ['scopes', formatScopes(scopes)],
    ['created', created],
    ['not before', notBefore],
    ['expires', expiresAt ?? 'never'],
    ['note', note],
  ];
  return rows
    .filter(([, value]) => value !== null)
    .map(([label, value]) => `${`${label}:`.padEnd(12)}${printable(value ?? '')}`)
    .join('\n');
}

/** `check`: says what the token on standard input is. */
import { readCredential } from '../../src/auth/credential.ts';
import { digestToken } from '../../src/auth/digest.ts';
import type { Command } from './command.ts';
import { EXIT } from './command-error.ts';
import { describeEntry, type EntryFacts } from '../../src/auth/tokens/entry-facts.ts';
import { printable, printableJson } from '../../src/printable.ts';
import { readSecret } from './read-secret.ts';
import { formatScopes } from './scopes.ts';

/** Reads the token and prints what it is. The exit code says whether it is valid. */
export const check: Command = {
  async run({ line, now, stdin, print, store }) {
    const { entries } = await store.read();
    const token = await readSecret(stdin);
    const hint = faultOf(token);
    const digest = digestToken(token);
    const entry = entries.find((candidate) => candidate.digest === digest);
    const facts = entry === undefined || hint !== undefined ? undefined : describeEntry(entry, now());
    if (line.json) print(printableJson(facts ?? { state: hint === undefined ? 'unknown' : 'malformed' }));
    else if (facts !== undefined) print(formatFacts(facts));
    else print(hint ?? `The token is unknown to ${store.name}. Check that it was copied whole.`);
    return facts?.state === 'valid' ? EXIT.done : EXIT.noSuchToken;
  },
};

/** What is wrong with the form of a token, in the server's words; undefined when the form is right. */
function faultOf(token: string): string | undefined {
  if (/^sha256:[0-9a-f]{64}$/i.test(token)) return 'That is the digest of a token, not the token.';
  const credential = readCredential({ authorization: `Bearer ${token}` });
  return credential.kind === 'malformed' ? credential.hint : undefined;
}

/** Formats the facts of an entry, one a line. */
function formatFacts(facts: EntryFacts): string {
  const { id, userId, name, scopes, created, notBefore, expiresAt, signInsSince, limit, state, note } = facts;
  const rows: readonly (readonly [string, string | null])[] = [
    ['token', id],
    ['state', state],
    ['user', userId],
    ['name', name],
    ['scopes', formatScopes(scopes)],
    ['created', created],
    ['not before', notBefore],
    ['expires', expiresAt ?? 'never'],
    ['sign-ins', signInsSince === null ? null : `since ${signInsSince}`],
    ['limit', limit === null ? null : `${limit} calls a minute`],
    ['note', note],
  ];
  return rows
    .filter(([, value]) => value !== null)
    .map(([label, value]) => `${`${label}:`.padEnd(12)}${printable(value ?? '')}`)
    .join('\n');
}

/** The keys in Redis: a value has one for each secret, because processes differ in which is first while a secret is being replaced. */
import type { Sealer } from '../../sealed.ts';

/** The keys of one value: it is written under the own key, which is that of the first secret, and looked for under all. */
export type Keys = readonly [own: string, ...others: string[]];

/** Returns the keys of the mark or record with a name. */
export type KeysOf = (kind: 'mark' | 'record', name: string) => Keys;

/** Makes the keys of a server, which all begin with the prefix. */
export function createKeys(prefix: string, sealer: Sealer): KeysOf {
  return (kind, name) => {
    const keyOf = (hash: string): string => `${prefix}${kind}:${hash}`;
    const [own, ...others] = sealer.namesOf(kind, name);
    return [keyOf(own), ...others.map(keyOf)];
  };
}

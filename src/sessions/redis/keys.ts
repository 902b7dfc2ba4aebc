/** Where something stands in Redis: under a key for each secret, for while one secret follows another the processes differ in which is first. */
import type { Sealer } from '../../sealed.ts';

/** It is written under the own one, which is the first secret's, and looked for under all. */
export type Keys = readonly [own: string, ...others: string[]];

/** The keys of what has a name. */
export type KeysOf = (kind: 'mark' | 'record', name: string) => Keys;

/** Makes the keys of a server, from what all of them begin with. */
export function createKeys(prefix: string, sealer: Sealer): KeysOf {
  return (kind, name) => {
    const keyOf = (hash: string): string => `${prefix}${kind}:${hash}`;
    const [own, ...others] = sealer.namesOf(kind, name);
    return [keyOf(own), ...others.map(keyOf)];
  };
}

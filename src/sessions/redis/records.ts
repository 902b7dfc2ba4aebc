/** Records in Redis: each is a hash, whose values are sealed for their key and field, so that nobody can read, alter or exchange them. */
import type { Sealer } from '../../sealed.ts';
import { PeersUnreachableError, type RecordFields, type SharedRecords } from '../peers.ts';
import type { RedisConnection } from './connection.ts';
import type { KeysOf } from './keys.ts';

/** What records are kept with. */
export interface RedisRecordsParts {
  readonly connection: RedisConnection;
  readonly keysOf: KeysOf;
  readonly sealer: Sealer;
  /** Runs an action; rejects with {@link PeersUnreachableError} when it fails or takes too long. */
  readonly within: <Result>(action: () => Promise<Result>) => Promise<Result>;
}

/** The purpose of the sealing key, and the kind of the keys in Redis. */
const PURPOSE = 'record';

/** Makes the records of a server. */
export function createRedisRecords({ connection, keysOf, sealer, within }: RedisRecordsParts): SharedRecords {
  const write = async (name: string, fields: RecordFields, lifeMs: number): Promise<void> => {
    const keys = keysOf(PURPOSE, name);
    const set: [string, Buffer][] = [];
    const unset: string[] = [];
    for (const [field, value] of Object.entries(fields))
      if (value === undefined) unset.push(field);
      else set.push([field, sealer.sealMessage(PURPOSE, Buffer.from(value), `${keys[0]} ${field}`)]);
    await connection.writeFields(keys, { set, unset }, lifeMs);
  };
  return {
    write: async (...record) => within(async () => write(...record)),
    note(...record) {
      // Without the timer of `within`, which costs more than the command.
      if (connection.isUp) write(...record).catch(() => undefined);
    },
    async read(name) {
      const keys = keysOf(PURPOSE, name);
      const found = await within(async () => connection.readFields(keys));
      const fields = new Map<string, string>();
      for (const [index, key] of keys.entries())
        for (const [field, bytes] of found[index] ?? []) {
          // A field is under two keys only if a process without the other secret has written it under the own key, later.
          if (fields.has(field)) continue;
          const value = sealer.openMessage(PURPOSE, bytes, `${key} ${field}`);
          if (value !== undefined) fields.set(field, value.toString());
        }
      return fields;
    },
    async remove(name) {
      if (!connection.isUp) throw new PeersUnreachableError('Redis cannot be reached.');
      await connection.delete(keysOf(PURPOSE, name));
    },
  };
}

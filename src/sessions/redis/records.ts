/** Records in Redis: a hash each, whose values are sealed for their place, so that nobody can read, alter or exchange them. */
import type { Sealer } from '../../sealed.ts';
import { PeersUnreachableError, type SharedRecords } from '../peers.ts';
import type { RedisConnection } from './connection.ts';

/** What records are kept with. */
export interface RedisRecordsParts {
  readonly connection: RedisConnection;
  readonly prefix: string;
  readonly sealer: Sealer;
  /** Waits for something no longer than anybody should. */
  readonly within: <Result>(action: () => Promise<Result>) => Promise<Result>;
}

/** What the key is for. */
const PURPOSE = 'record';

/** Makes the records of a server. */
export function createRedisRecords({ connection, prefix, sealer, within }: RedisRecordsParts): SharedRecords {
  const keyOf = (name: string): string => `${prefix}record:${sealer.nameOf(PURPOSE, name)}`;
  return {
    async write(name, fields, lifeMs) {
      // Without the timer of `within`, which costs more than the command: what cannot be written now never is, and nobody waits.
      if (!connection.isUp) throw new PeersUnreachableError('Redis cannot be reached.');
      const key = keyOf(name);
      const set: [string, Buffer][] = [];
      const unset: string[] = [];
      for (const [field, value] of Object.entries(fields))
        if (value === undefined) unset.push(field);
        else set.push([field, sealer.sealMessage(PURPOSE, Buffer.from(value), `${key} ${field}`)]);
      await connection.writeFields(key, { set, unset }, lifeMs);
    },
    async read(name) {
      const key = keyOf(name);
      const sealed = await within(async () => connection.readFields(key));
      const fields = new Map<string, string>();
      for (const [field, bytes] of Object.entries(sealed)) {
        const value = sealer.openMessage(PURPOSE, bytes, `${key} ${field}`);
        if (value !== undefined) fields.set(field, value.toString());
      }
      return fields;
    },
    async remove(name) {
      if (!connection.isUp) throw new PeersUnreachableError('Redis cannot be reached.');
      await connection.delete(keyOf(name));
    },
  };
}

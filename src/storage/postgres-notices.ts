/** Receives the notices that processes send each other over PostgreSQL: LISTEN on a connection of its own, which is made again when it is lost. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import type { StopListening } from './database.ts';

/** The pauses between two tries. Milliseconds. */
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [250, 5_000];

/** A channel name, as it is put into the text of a statement. */
const CHANNEL = /^[a-z_]{1,40}$/;

/**
 * Begins to listen. A pooler in between may lose the LISTEN without a word, so code that must not miss a change looks from time to time as
 * well.
 * @throws {Error} when the channel's name is not allowed
 */
export function listenToPostgres(
  createClient: () => Client,
  channel: string,
  onNotice: () => void,
): StopListening {
  if (!CHANNEL.test(channel)) throw new Error(`Not a channel: ${channel}`);
  const closed = new AbortController();
  let endConnection: (() => void) | undefined;

  /** One connection, from its beginning to its end. */
  const listenOnce = async (): Promise<void> => {
    const client = createClient();
    const ended = new Promise<void>((resolve) => {
      endConnection = resolve;
      client.on('error', () => resolve());
      client.on('end', () => resolve());
    });
    client.on('notification', onNotice);
    const begin = async (): Promise<void> => {
      await client.connect();
      await client.query(`listen ${channel}`);
      // What was sent before that is looked for once.
      onNotice();
      await ended;
    };
    try {
      await Promise.race([begin(), ended]);
    } finally {
      // The package never reports the end of a client that is not connected yet, so nothing waits for it.
      void client.end().catch(() => undefined);
    }
  };
  const listen = async (): Promise<void> => {
    let pauseMs = FIRST_PAUSE_MS;
    while (!closed.signal.aborted) {
      const startedMs = performance.now();
      await listenOnce().catch(() => undefined);
      const wasUp = performance.now() - startedMs > LONGEST_PAUSE_MS;
      pauseMs = wasUp ? FIRST_PAUSE_MS : Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
      await delay(pauseMs, undefined, { ref: false, signal: closed.signal }).catch(() => undefined);
    }
  };
  const listening = listen();
  return async () => {
    closed.abort();
    endConnection?.();
    await listening;
  };
}

/**
 * Recent use, kept in a database: calls are counted in memory, and the counts are added to the database now and then, and at the end. The
 * sums are those of all processes. While the database is away, counts are lost only if the process ends.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Database } from '../../../storage/database.ts';
import { reasonOf } from '../../../storage/errors.ts';
import { momentOrNull, type Usage } from '../usage.ts';
import { DAYS, dayOf, followCalls, UseCounts } from '../use-counts.ts';
import { addUse, dropOldUse, readUse, type UseBatch } from './use-tables.ts';

/** What it is made from. */
export interface KeptUsageParts {
  /** Opens the database with the tables of use. It is called when the database is first needed, and again if that failed. */
  readonly open: () => Promise<Database>;
  readonly log: Logger;
  readonly now?: () => number;
  /** How often counts are saved. Milliseconds. */
  readonly saveMs?: number;
  /** A name for this process that no other one has. */
  readonly writer?: string;
}

/** How often counts are saved by default: a crash loses at most those of this time. Milliseconds. */
const SAVE_MS = 30_000;

/** How long closing waits for the last counts to be saved. Milliseconds. */
const CLOSE_MS = 3_000;

/** Starts counting. */
export function createKeptUsage(parts: KeptUsageParts): Usage {
  return new KeptUsage(parts);
}

/** The counts. */
class KeptUsage implements Usage {
  readonly #parts: KeptUsageParts;
  readonly #now: () => number;
  readonly #writer: string;
  readonly #stop: () => void;
  readonly #timer: NodeJS.Timeout;
  /** The counts of the database, as far as this process knows them. */
  #known = new UseCounts();
  #unsaved = new UseCounts();
  /** The counts that are being saved; they stay the same until that has succeeded. */
  #batch: UseBatch | undefined;
  #batches = 0;
  #cleanedOn: number | undefined;
  #database: Promise<Database> | undefined;
  #isFailing = false;
  /** Work with the database is done one after the other; this resolves when the latest is done. */
  #queue: Promise<void> = Promise.resolve();

  constructor(parts: KeptUsageParts) {
    const { now = Date.now, writer = randomUUID(), saveMs = SAVE_MS } = parts;
    this.#parts = parts;
    this.#now = now;
    this.#writer = writer;
    this.#stop = followCalls((event) => this.#unsaved.noteCall(event, now()));
    this.#timer = setInterval(() => void this.#take(async () => this.#save()), saveMs).unref();
  }

  get words(): string {
    const what = `Last use and calls include all processes. Days are those of UTC, and ${DAYS} of them are kept.`;
    return this.#isFailing
      ? `${what} The database cannot be reached at the moment: the table shows what was last read from it, and what this process has counted since.`
      : `${what} What other processes have counted in the last ${SAVE_MS / 1000} seconds may be missing.`;
  }

  lastUseOf(tokenId: string): string | null {
    const lastMs = Math.max(...this.#all().map((counts) => counts.lastUseOf(tokenId) ?? -Infinity));
    return momentOrNull(lastMs === -Infinity ? undefined : lastMs);
  }

  callsOf(userId: string): readonly number[] {
    const today = dayOf(this.#now());
    const [known = [], ...others] = this.#all().map((counts) => counts.callsOf(userId, today));
    return known.map((calls, index) => others.reduce((sum, other) => sum + (other[index] ?? 0), calls));
  }

  async refresh(): Promise<void> {
    await this.#take(async () => {
      await this.#save();
      this.#known = await readUse(await this.#open(), dayOf(this.#now()));
    });
  }

  async close(): Promise<void> {
    this.#stop();
    clearInterval(this.#timer);
    const saved = this.#take(async () => this.#save()).then(async () => (await this.#database)?.close());
    await Promise.race([saved, delay(CLOSE_MS, undefined, { ref: false })]);
    if (this.#batch !== undefined || !this.#unsaved.isEmpty)
      this.#parts.log.warn('the last counts of use are lost: the database could not be reached');
  }

  /** All counts: saved, being saved, and unsaved. */
  #all(): UseCounts[] {
    return [this.#known, ...(this.#batch === undefined ? [] : [this.#batch.counts]), this.#unsaved];
  }

  /** Adds unsaved counts to the database, and removes old ones once a day. */
  async #save(): Promise<void> {
    const today = dayOf(this.#now());
    if (this.#batch === undefined && this.#unsaved.isEmpty) return;
    const database = await this.#open();
    if (this.#batch === undefined) {
      this.#batch = { writer: this.#writer, number: (this.#batches += 1), today, counts: this.#unsaved };
      this.#unsaved = new UseCounts();
    }
    await addUse(database, this.#batch);
    this.#known.addAll(this.#batch.counts);
    this.#batch = undefined;
    if (this.#cleanedOn === today) return;
    await dropOldUse(database, today);
    this.#cleanedOn = today;
  }

  /** Returns the open database, and opens it if necessary. */
  async #open(): Promise<Database> {
    this.#database ??= this.#parts.open();
    try {
      return await this.#database;
    } catch (error) {
      this.#database = undefined;
      throw error;
    }
  }

  /** Does work with the database after all earlier work. Never rejects: a failure is logged once, and saving is tried again later. */
  async #take(work: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue.then(async () => this.#attempt(work));
    return this.#queue;
  }

  /** Does the work, and logs when it begins to fail and when it succeeds again. */
  async #attempt(work: () => Promise<void>): Promise<void> {
    const { log } = this.#parts;
    try {
      await work();
      if (this.#isFailing) log.info('counts of use are saved again');
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing)
        log.warn(
          { reason: reasonOf(error) },
          'counts of use cannot be saved at the moment; they are kept in memory',
        );
      this.#isFailing = true;
    }
  }
}

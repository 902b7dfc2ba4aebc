/** The work of one transaction, under the rules that both kinds of database keep. */
import type { Driver } from './database.ts';
import { busy, unreachable } from './errors.ts';

/** So long the end of the server waits for transactions and statements; then they are cut. Milliseconds. */
export const END_MS = 2_000;

/** How long a transaction may go on. */
export interface TransactionLimits {
  readonly limitMs: number;
  /** Ends it sooner, where the server ends. */
  readonly cut: AbortSignal;
}

/** Runs it. */
export class TransactionWork {
  readonly #run: Driver['query'];
  #isOver = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(run: Driver['query']) {
    this.#run = run;
  }

  /** What the first statement that failed has failed of; undefined where none has. */
  get failure(): unknown {
    return this.#failure?.error;
  }

  /**
   * Runs it to its end, after which it can ask no more.
   * @throws what it throws; what a statement has failed of, also where it has swallowed that; {@link StorageUnavailable} when it takes too long, or is cut
   */
  async finish<Result>(
    work: (query: Driver['query']) => Promise<Result>,
    limits: TransactionLimits,
  ): Promise<Result> {
    try {
      const result = await withinLimits(limits, work(this.#query));
      if (this.#failure !== undefined) throw this.#failure.error;
      return result;
    } finally {
      this.#isOver = true;
    }
  }

  readonly #query: Driver['query'] = async (statement) => {
    if (this.#isOver) throw new Error('This transaction is over.');
    // PostgreSQL would refuse what follows, and SQLite would go on.
    if (this.#failure !== undefined)
      throw new Error('A statement of this transaction has failed, which ended it.');
    try {
      return await this.#run(statement);
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  };
}

/** Something that must be done within a time, and before it is cut, or else counts as failed. */
async function withinLimits<Result>(
  { limitMs, cut }: TransactionLimits,
  work: Promise<Result>,
): Promise<Result> {
  const over = new AbortController();
  const late = new Promise<never>((_resolve, reject) => {
    const timer = setTimeout(() => reject(busy('transaction_too_long')), limitMs);
    over.signal.addEventListener('abort', () => clearTimeout(timer));
    const end = (): void => reject(unreachable('closed'));
    if (cut.aborted) end();
    else cut.addEventListener('abort', end, { signal: over.signal });
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort();
  }
}
